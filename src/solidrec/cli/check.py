"""The command that checks the promises of the library on the user's own configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solidrec.cli.app import app, print_json
from solidrec.cli.options import Config, Json, Set


@app.command(
    short_help="Does it hold what it promises, here?",
    epilog="Example: solidrec check data --model solid-duet --set model.dim=64 · solidrec check "
    "run",
)
def check(
    path: Annotated[
        Path,
        Argument(metavar="DATA_OR_RUN", help="A prepared folder, or a run: then its own settings."),
    ],
    model: Annotated[
        str | None,
        Option(
            help="As of `solidrec train`; default solid-duet. Of a mixture the neural expert is "
            "checked."
        ),
    ] = None,
    backbone: Annotated[str | None, Option(help="As of `solidrec train`; default sasrec.")] = None,
    config: Config = None,
    set_: Set = None,
    data: Annotated[
        Path | None, Option(help="The data of a run; default: where it was trained.")
    ] = None,
    json_: Json = False,
) -> None:
    """Check on a slice of the data that these settings train, mask, save and export as they should.

    It takes seconds. Every parameter and generated tensor learns, padding is invisible, a constant
    scorer measures as chance, and a resumed, reloaded or exported model is the same. Prints one
    line per check; the exit code is 1 if one fails.
    """
    from solidrec.check.checks import check_fidelity
    from solidrec.cli.settings_options import settings
    from solidrec.console import out
    from solidrec.terminal import check_line, checks_line

    console = out()
    report = check_fidelity(
        path,
        data=data,
        model=model,
        backbone=backbone,
        settings=settings(config, set_ or []),
        step=lambda entry: None if json_ else console.print(check_line(entry), soft_wrap=True),
    )
    print_json(report) if json_ else console.print(checks_line(report), soft_wrap=True)
    raise typer.Exit(1 if report["failed"] else 0)
