"""The command that searches for better settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

from solidrec.cli.app import app, print_json
from solidrec.cli.experiment import Jobs, Out, Set
from solidrec.cli.options import Config, DataArgument, Json

_Space = Annotated[
    Path | None,
    Option(
        help='A TOML file: "model.dropout" = [0.0, 0.2], "train.learning_rate" = {low = 1e-4, '
        "high = 1e-2, log = true}."
    ),
]
_Try = Annotated[
    list[str] | None,
    Option("--try", help="key=value,value: values of one more key; may be repeated."),
]
_Trials = Annotated[
    int, Option(help="Trainings in all; the first has the settings that are given here.", min=1)
]
_Seed = Annotated[int | None, Option(help="Seed of every training and of the search; default 0.")]


@app.command(
    short_help="Look for better settings, on validation users alone.",
    epilog="Example: solidrec search data --try model.dropout=0,0.2,0.4 --space space.toml "
    "--trials 12 --out search",
)
def search(
    data: DataArgument,
    out: Out,
    space: _Space = None,
    try_: _Try = None,
    trials: _Trials = 12,
    model: Annotated[str | None, Option(help="Default solid-duet; as in train.")] = None,
    backbone: Annotated[str | None, Option(help="Default sasrec; as in train.")] = None,
    seed: _Seed = None,
    config: Config = None,
    set_: Set = None,
    jobs: Jobs = 1,
    json_: Json = False,
) -> None:
    """Train variants of a model and write the settings that are best on validation users.

    They are for `train --config`. The test split is never opened. The same command resumes the
    search.
    """
    from solidrec.cli.settings_options import settings
    from solidrec.console import out as console_out
    from solidrec.console import say
    from solidrec.search.findings import BEST, table
    from solidrec.search.read import read_space
    from solidrec.search.run_search import run_search

    found = run_search(
        data,
        out,
        space=read_space(space, try_ or []),
        trials=trials,
        model=model,
        backbone=backbone,
        seed=seed,
        settings=settings(config, set_ or []),
        jobs=jobs,
    )
    if json_:
        print_json(found)
        return
    console_out().print(table(found))
    print(found["finding"])
    print(
        "The best of several on the same users is somewhat lucky: what it is worth, other seeds "
        "and the test split say."
    )
    say(f"wrote {out / BEST}; next: solidrec train {data} --config {out / BEST} --out run")
