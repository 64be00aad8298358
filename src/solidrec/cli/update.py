"""The command that keeps a trained model fresh."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from solidrec.cli.app import app, print_json
from solidrec.cli.folders import named_files
from solidrec.cli.options import (
    Device,
    ItemColumn,
    Json,
    RunArgument,
    Threads,
    TimeColumn,
    UserColumn,
)

_Interactions = Annotated[
    list[Path],
    Argument(help="The new log, as `prepare` reads it; events known already may be in it."),
]
_Out = Annotated[Path, Option(help="The run folder to write; RUN stays, to roll back to.")]
_Data = Annotated[
    Path | None, Option(help="The prepared folder of RUN; default: where it was trained.")
]
_DataOut = Annotated[
    Path | None, Option(help="The prepared folder to write, for the next update; default OUT-data.")
]
_Items = Annotated[Path | None, Option(help="One row an item, also of the new ones.")]
_Features = Annotated[
    list[str] | None,
    Option(help="NAME=FILE.npy, whose rows --items numbers, for a matrix that training had."),
]
_Delisted = Annotated[
    Path | None,
    Option(
        help="csv, jsonl or Parquet with a column of item ids: all items that are not to be "
        "recommended; default: those of RUN."
    ),
]
_Set = Annotated[
    list[str] | None,
    Option("--set", help="A setting of `prepare` that this log needs, e.g. rating_column=stars."),
]


@app.command(
    short_help="Continue a run with new events.",
    epilog="Example: solidrec update models/monday clicks.csv --items items.csv --out "
    "models/tuesday",
)
def update(
    run: RunArgument,
    interactions: _Interactions,
    out: _Out,
    data: _Data = None,
    data_out: _DataOut = None,
    items: _Items = None,
    features: _Features = None,
    delisted: _Delisted = None,
    user_column: UserColumn = None,
    item_column: ItemColumn = None,
    items_id_column: Annotated[
        str | None, Option(help="The id column of --items and --delisted, if it has another name.")
    ] = None,
    time_column: TimeColumn = None,
    set_: _Set = None,
    epochs: Annotated[int, Option(help="Epochs on the new events.")] = 2,
    newest: Annotated[
        float, Option(help="Share of the new events that the update is judged on.")
    ] = 0.2,
    least_users: Annotated[
        int, Option(help="Users that are needed to judge; with fewer it is refused.")
    ] = 100,
    force: Annotated[bool, Option("--force", help="Publish what is worse, too.")] = False,
    device: Device = "cpu",
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Continue a trained run with new events, users and items, if that makes it no worse.

    Before the newest events are learned, the update is judged on them: if the 95 % interval of its
    NDCG@10 less that of RUN lies below 0, nothing is published and the exit code is 78.
    """
    from solidrec.api import update as run_update
    from solidrec.cli.settings_options import settings
    from solidrec.console import say
    from solidrec.data.readers import read_table
    from solidrec.updates.delisted import ids_of

    columns = {
        "user_column": user_column,
        "item_column": item_column,
        "items_id_column": items_id_column,
        "time_column": time_column,
    }
    facts = run_update(
        run,
        interactions if len(interactions) > 1 else interactions[0],
        out=out,
        data=data,
        data_out=data_out,
        items=items,
        features=named_files(features or []),
        delisted=None
        if delisted is None
        else ids_of(read_table(delisted), {"items_id": items_id_column}),
        settings=settings(None, set_ or []) | {k: v for k, v in columns.items() if v},
        epochs=epochs,
        newest=newest,
        least_users=least_users,
        force=force,
        device=device,
        threads=threads,
        progress=not json_,
    )
    if json_:
        print_json(facts)
        return
    added = facts["added"]
    print(
        f"wrote {facts['run']}: {added['events']:,} new events, {added['users']:,} new users, "
        f"{added['items']:,} new items"
    )
    say(
        f"wrote {facts['data']}, the data of the next update: solidrec update {facts['run']} CLICKS"
    )
