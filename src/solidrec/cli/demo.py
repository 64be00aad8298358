"""The demo on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from solidrec.cli.app import app


@app.command(
    short_help="The whole method on MovieLens 100K, with a report.",
    epilog="Example: solidrec demo --out demo",
)
def demo(
    out: Annotated[Path, Option(help="Folder for the data, the runs and report.html.")] = Path(
        "demo"
    ),
    full: Annotated[
        bool, Option("--full", help="Train to convergence: the real figures, not the quick ones.")
    ] = False,
    data: Annotated[
        Path | None, Option(help="An unpacked ml-100k folder, if you have one.")
    ] = None,
    download: Annotated[
        bool, Option("--download", help="Fetch ml-100k from GroupLens (5 MB, checksum verified).")
    ] = False,
    seed: Annotated[int, Option(help="Seed of every training run.")] = 0,
    threads: Annotated[int, Option(help="Trainings at a time, each on one thread.", min=1)] = 1,
) -> None:
    """Run the whole method on MovieLens 100k.

    It prepares the data, trains four models, compares them, writes a report and recommends.
    """
    from solidrec.cli.experiment import show
    from solidrec.console import out as console_out
    from solidrec.console import say
    from solidrec.demo import BEST, MADE_UP, best_model, ids_of, run_demo
    from solidrec.terminal import items_table

    folder = run_demo(out, full=full, folder=data, download=download, seed=seed, jobs=threads)
    show(folder, json_=False)
    model = best_model(folder)
    history = ids_of(model, MADE_UP)
    answer = model.recommend(history, 10)
    console_out().print(
        items_table(f"{BEST} for a made-up history: {' · '.join(MADE_UP)}", answer.items)
    )
    command = f'solidrec recommend {model.run.path} --history "{",".join(history)}"'
    say(f"wrote {out / 'report.html'}; recommend for any history: {command}")
