"""Commands for what is new: items that training never saw, and users of few events."""

from __future__ import annotations

from typing import Annotated

import typer

from solidrec.cli.app import print_json
from solidrec.cli.experiment import Jobs, Out, Set, experiment, show
from solidrec.cli.options import DataArgument, Json

_Seeds = Annotated[int, typer.Option(help="Seeds 0, 1, ... of each row.", min=1)]


@experiment.command(
    "cold-items",
    short_help="How well are items ranked that nobody clicked?",
    epilog="Example: solidrec experiment cold-items data --model static --out cold",
)
def cold_items(
    data: DataArgument,
    out: Out,
    model: Annotated[
        str, typer.Option(help="The model to train, for example static or solid-duet.")
    ] = "static",
    share: Annotated[float, typer.Option(help="The share of the items that is held out.")] = 0.1,
    seeds: _Seeds = 3,
    set_: Set = None,
    json_: Json = False,
) -> None:
    """Hold items out of training, add them by their content, and rank each among 99 other items.

    No interaction with a held-out item is left in training. The model is compared with chance and
    with a content-kNN on the same features, paired over the held-out items.
    """
    from solidrec.cli.settings_options import settings
    from solidrec.measures.cold_items import run_cold_items
    from solidrec.measures.cold_table import markdown

    found = run_cold_items(
        data, out, model=model, share=share, seeds=seeds, settings=settings(None, set_ or [])
    )
    print_json(found) if json_ else print(markdown(found))


@experiment.command(
    "cold-users",
    short_help="Which weights serve users of one or two events?",
    epilog="Example: solidrec experiment cold-users data --seeds 3 --out cold-users",
)
def cold_users(
    data: DataArgument,
    out: Out,
    seeds: _Seeds = 3,
    jobs: Jobs = 1,
    set_: Set = None,
    json_: Json = False,
) -> None:
    """Train static, DUET and SOLID, and rank every test target from few events before it.

    These are the last 1, 2, 3, 5 and 10 events. The command runs the shipped experiment
    `cold-users`; any experiment with `measures = ["few-events"]` has this table.
    """
    from solidrec.cli.settings_options import settings
    from solidrec.experiments.execute import run_experiment
    from solidrec.experiments.experiment_spec import read_experiment

    spec = read_experiment("cold-users").model_copy(update={"seeds": seeds})
    run_experiment("cold-users", spec, data, out, jobs=jobs, settings=settings(None, set_ or []))
    show(out, json_=json_)
