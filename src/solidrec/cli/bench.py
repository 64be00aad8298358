"""The command that measures speed and memory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solidrec.cli.app import Json, app, print_json
from solidrec.errors import UsageError


@app.command(
    short_help="How fast is it here?",
    epilog="Example: solidrec bench --quick --out before.json · solidrec bench --compare before.json after.json",
)
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer subjects, one thread, two repeats: about a minute.")] = False,
    only: Annotated[str | None, typer.Option(help="Only what starts with this, for example train or evaluate/1+99.")] = None,
    threads: Annotated[str | None, typer.Option(help="Numbers of threads, separated by commas; default 1,2.")] = None,
    repeats: Annotated[int | None, typer.Option(help="Repeats of each, after one that does not count; default 5.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the rows here, as JSON, and the machine beside them.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Measure nothing: name what got slower from one result to another.")
    ] = None,
    tolerance: Annotated[float, typer.Option(help="What --compare lets pass: 0.2 is a fifth slower.")] = 0.2,
    json_: Json = False,
) -> None:
    """Measure training, evaluation, serving, preparation and start-up: medians of systems that take turns.

    On MovieLens 100K where it is at hand, else on a synthetic log of its shape. `make bench` adds peers. With
    --compare, the exit code is 1 if a figure got worse by more than the tolerance.
    """
    from solidrec.console import out as console_out
    from solidrec.experiments.bench.command import compare_files, measure

    if compare is not None:
        worse, table = compare_files(*compare, tolerance=tolerance)
        print_json([change._asdict() for change in worse]) if json_ else console_out().print(table)
        raise typer.Exit(1 if worse else 0)
    counts = [int(part) for part in threads.split(",") if part.strip().isdigit()] if threads else None
    if counts is not None and (not counts or min(counts) < 1):
        raise UsageError(f"--threads {threads!r}: give numbers of 1 or more, separated by commas")
    found, tables = measure(quick=quick, only=only, threads=counts, repeats=repeats, out=out)
    print_json(found.to_json()) if json_ else console_out().print(*tables)
