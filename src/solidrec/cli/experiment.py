"""Experiments that one command runs: many trainings, paired comparisons, a table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from solidrec.cli.app import DataArgument, Json, app, print_json

experiment = typer.Typer(
    help="Many trainings, compared fairly.", no_args_is_help=True, rich_markup_mode=None,
    epilog="Example: solidrec experiment cold-items data --out cold",
)  # fmt: skip
app.add_typer(experiment, name="experiment")

Out = Annotated[Path, typer.Option(help="Folder for runs and results; the same command goes on where it was stopped.")]
Seeds = Annotated[int, typer.Option(help="Seeds 0, 1, ... of each row.", min=1)]
Jobs = Annotated[int, typer.Option(help="Trainings at a time, each on one thread.", min=1)]
Set = Annotated[list[str] | None, typer.Option("--set", help="key=value for every training; may be repeated.")]


@experiment.command(
    short_help="Which modalities are worth it (Table 3)?",
    epilog="Example: solidrec experiment modalities data --modality id --modality image --modality text --out table3",
)
def modalities(
    data: DataArgument,
    out: Out,
    modality: Annotated[list[str] | None, typer.Option(help="A modality; may be repeated. Default: all of the data.")] = None,
    seeds: Seeds = 3,
    jobs: Jobs = 1,
    set_: Set = None,
    json_: Json = False,
) -> None:
    """Train with semantic ids of every subset of modalities, and with random ones, and compare them paired over users."""
    from solidrec.cli.models import settings
    from solidrec.experiments.modalities import markdown, run_modalities

    found = run_modalities(data, out, modalities=modality or (), seeds=seeds, jobs=jobs, settings=settings(None, set_ or []))
    print_json(found) if json_ else print(markdown(found))


@experiment.command(
    "cold-items",
    short_help="How well are items ranked that nobody clicked?",
    epilog="Example: solidrec experiment cold-items data --model static --out cold",
)
def cold_items(
    data: DataArgument,
    out: Out,
    model: Annotated[str, typer.Option(help="The model to train, for example static or solid-duet.")] = "static",
    share: Annotated[float, typer.Option(help="The share of the items that is held out.")] = 0.1,
    seeds: Seeds = 3,
    set_: Set = None,
    json_: Json = False,
) -> None:
    """Hold items out of training entirely, add them by their content, and rank each among 99 known ones.

    Beside chance and a content-kNN on the same features, paired over the targets.
    """
    from solidrec.cli.models import settings
    from solidrec.experiments.cold_items import markdown, run_cold_items

    found = run_cold_items(data, out, model=model, share=share, seeds=seeds, settings=settings(None, set_ or []))
    print_json(found) if json_ else print(markdown(found))


@experiment.command(
    "cold-users",
    short_help="Which weights serve users of one or two events?",
    epilog="Example: solidrec experiment cold-users data --seeds 3 --out cold-users",
)
def cold_users(data: DataArgument, out: Out, seeds: Seeds = 3, jobs: Jobs = 1, set_: Set = None, json_: Json = False) -> None:
    """Train static, DUET and SOLID and rank every test target from the last 1, 2, 3, 5 and 10 events before it."""
    from solidrec.cli.models import settings
    from solidrec.experiments.cold_users import markdown, run_cold_users

    found = run_cold_users(data, out, seeds=seeds, jobs=jobs, settings=settings(None, set_ or []))
    print_json(found) if json_ else print(markdown(found))
