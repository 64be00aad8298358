#!/bin/sh
# Update the model that serves with the newest clicks, and let every service load it. MODELS/current is a link to its run folder.
#   MODELS=models CLICKS=clicks.csv [ITEMS=items.csv] ADMIN_PORTS="9001 9002" ADMIN_TOKEN_FILE=token deploy/update.sh
# Exit codes: that of `solidrec update` (78: it is worse, or cannot be judged; nothing changed), 1 if a service refused it.
set -eu
name=$(date +%Y-%m-%dT%H%M%S)

solidrec update "$MODELS/current" "$CLICKS" ${ITEMS:+--items "$ITEMS"} ${OPTIONS:-} --out "$MODELS/$name"

ask() { # PORT PATH: the token is given on standard input, so that no list of processes shows it
    printf 'header = "Authorization: Bearer %s"\n' "$(cat "$ADMIN_TOKEN_FILE")" |
        curl --silent --show-error --fail-with-body --config - --request POST "http://127.0.0.1:$1/$2" && echo
}

moved=
for port in $ADMIN_PORTS; do
    if ! ask "$port" "models/$name"; then
        # All services answer with one model: those that have moved go back.
        for back in $moved; do ask "$back" rollback; done
        exit 1
    fi
    moved="$moved $port"
done

# Only now: what restarts from here on serves it, too.
ln -sfn "$name" "$MODELS/current.new"
mv -T "$MODELS/current.new" "$MODELS/current"
