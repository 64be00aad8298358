"""The command that lists the known public data sets."""

from __future__ import annotations

from solidrec.cli.app import app, print_json
from solidrec.cli.options import Json


@app.command(
    short_help="Which public data sets are known.", epilog="Example: solidrec datasets --json"
)
def datasets(json_: Json = False) -> None:
    """List the public data sets that `prepare` knows: files, source, terms and published counts."""
    from solidrec.data.datasets.listing import list_datasets, list_formats

    known, families = list_datasets(), list_formats()
    if json_:
        print_json({"datasets": known, "formats": families})
        return
    from solidrec.console import out
    from solidrec.terminal import datasets_tables

    for table in datasets_tables(known, families):
        out().print(table)
