"""Commands that describe a folder and the installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument

from solidrec.cli.app import app, print_json
from solidrec.cli.options import Json


@app.command(short_help="What a folder holds.", epilog="Example: solidrec inspect run --json")
def inspect(
    path: Annotated[Path, Argument(help="A prepared folder or a run folder.")], json_: Json = False
) -> None:
    """Show what a prepared folder or a run folder holds, after verifying every byte of it."""
    from solidrec.check.inspect import facts_of
    from solidrec.console import out
    from solidrec.terminal import facts_table

    facts = facts_of(path)
    print_json(facts) if json_ else out().print(facts_table(str(path), facts))


@app.command(short_help="Is this machine fit?", epilog="Example: solidrec doctor --json")
def doctor(json_: Json = False) -> None:
    """Print versions, device, threads, extras and known-bad pairs."""
    from solidrec.check.doctor import diagnose
    from solidrec.console import out
    from solidrec.terminal import facts_table

    facts = diagnose()
    print_json(facts) if json_ else out().print(facts_table("solidrec doctor", facts))
