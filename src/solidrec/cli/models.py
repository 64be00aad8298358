"""Commands that train and evaluate models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Option

from solidrec.cli.app import app, print_json
from solidrec.cli.options import (
    Config,
    DataArgument,
    Device,
    Json,
    Protocol,
    RunArgument,
    Seen,
    Set,
    SplitOption,
    Threads,
)
from solidrec.errors import UsageError

_FLOORS = ("knn-content", "popularity")
"""Baselines shown beside a mixture: neighbours and content (weighted on validation), popularity."""
_FLOORS_BY_TIME = (*_FLOORS, "recent-popularity")
"""The same for data split by time, where recent popularity may be hard to beat."""


_Model = Annotated[
    str | None,
    Option(
        help="Default mixture, the best known; mixture-static, -lengths, -spg, -duet, -solid, "
        "-full; plain, static, static-codebook, apg, duet, solid-apg, solid-duet, spg, sml, "
        "duet-codebook, author-code, or an -apg twin of the last four; spg-penalty, "
        "sml-penalty."
    ),
]
_Backbone = Annotated[
    str | None,
    Option(
        help="The encoder of histories: din, gru4rec, sasrec (the default), bert4rec, ligr or "
        "bsarec."
    ),
]
_Seed = Annotated[
    int | None, Option(help="Seed of parameters, order, negatives and dropout; default 0.")
]
_Epochs = Annotated[
    int | None,
    Option(help="Maximum epochs of each stage; of a mixture those of its neural expert."),
]
_EpochsFrom = Annotated[
    Path | None,
    Option(
        help="A run whose settings and best epochs serve data without validation users (--fit-all)."
    ),
]
_Out = Annotated[Path | None, Option(help="The run folder; default runs/MODEL-BACKBONE-DIGEST.")]
_Overwrite = Annotated[
    bool, Option("--overwrite", help="Replace a run of other settings in --out.")
]
_Track = Annotated[
    list[str] | None, Option(help="Also log every epoch to tensorboard or mlflow; may be repeated.")
]


@app.command(
    short_help="Train a model, or resume.",
    epilog="Example: solidrec train data --model solid-duet --backbone sasrec --seed 0 --out run",
)
def train(
    data: DataArgument,
    model: _Model = None,
    backbone: _Backbone = None,
    seed: _Seed = None,
    epochs: _Epochs = None,
    epochs_from: _EpochsFrom = None,
    out: _Out = None,
    overwrite: _Overwrite = False,
    config: Config = None,
    set_: Set = None,
    track: _Track = None,
    device: Device = "cpu",
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Train a model; the same command again resumes it, or says that it is finished."""
    from solidrec.api import train as run
    from solidrec.cli.settings_options import settings
    from solidrec.console import out as console_out
    from solidrec.console import say
    from solidrec.spec import MIXTURE_NAMES
    from solidrec.terminal import PROTOCOLS, metrics_table

    trained = run(
        data,
        model=model,
        backbone=backbone,
        seed=seed,
        epochs=epochs,
        epochs_from=epochs_from,
        out=out,
        overwrite=overwrite,
        settings=settings(config, set_ or []),
        device=device,
        threads=threads,
        track=track or (),
    )
    metrics = trained.run.metrics
    if json_:
        print_json({"run": str(trained.run.path), **metrics})
        return
    if metrics:
        whole_first = sorted(metrics.values(), key=lambda entry: entry["protocol"])
        rows = [
            (f"{entry['split']}, {PROTOCOLS[entry['protocol']]}", entry["metrics"])
            for entry in whole_first
        ]
        spec = trained.run.spec.model
        if spec.name in MIXTURE_NAMES:
            rows = _with_floors(rows, data, spec.history_length)
        console_out().print(metrics_table(f"{spec.name} on {spec.backbone.name}", rows))
    say(f'wrote {trained.run.path}; next: solidrec recommend {trained.run.path} --history "ID,ID"')


@app.command(
    short_help="How long would training take?",
    epilog="Example: solidrec plan data --model solid-duet",
)
def plan(
    data: DataArgument,
    model: _Model = None,
    backbone: _Backbone = None,
    config: Config = None,
    set_: Set = None,
    device: Device = "cpu",
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Say how long training would take and how much memory it needs, after some steps of it."""
    from solidrec.api import plan as measured
    from solidrec.cli.settings_options import settings
    from solidrec.terminal import plan_lines

    found = measured(
        data,
        model=model,
        backbone=backbone,
        settings=settings(config, set_ or []),
        device=device,
        threads=threads,
    )
    if json_:
        print_json(found)
        return
    for line in plan_lines(found):
        print(line)


_Data = Annotated[
    Path | None, Option(help="The prepared folder; default: where the run was trained.")
]
_Protocol = Annotated[
    Protocol | None,
    Option(
        help="full (whole catalogue) or paper (1 + 99 uniform); default both, with --json or "
        "--save-scores paper."
    ),
]
_Seen = Annotated[
    Seen,
    Option(
        help="What a user had before: filter leaves it out of the whole catalogue, keep does not."
    ),
]
_SaveScores = Annotated[
    Path | None, Option(help="Write user, item, label, score of every candidate (Parquet).")
]


@app.command(
    short_help="Measure a trained model.",
    epilog="Example: solidrec evaluate run --protocol full --json",
)
def evaluate(
    run: RunArgument,
    data: _Data = None,
    split: Annotated[SplitOption, Option(help="Which targets to rank.")] = SplitOption.test,
    protocol: _Protocol = None,
    seen: _Seen = Seen.filter,
    save_scores: _SaveScores = None,
    device: Device = "cpu",
    threads: Threads = 1,
    json_: Json = False,
) -> None:
    """Measure a trained model on a split, under a labelled protocol."""
    from solidrec.api import load
    from solidrec.console import out
    from solidrec.devices import use_threads
    from solidrec.terminal import evaluation_tables

    use_threads(threads)
    model = load(run, device=device)
    if seen is Seen.keep and protocol is Protocol.paper:
        raise UsageError(
            "--seen keep is about the whole catalogue; leave --protocol paper out, whose "
            "candidates nobody has seen"
        )
    single = Protocol.full if seen is Seen.keep else Protocol.paper
    one = protocol or (single if json_ or save_scores else None)
    for chosen in (one,) if one else (Protocol.full, Protocol.paper):
        found = model.evaluate(
            data,
            split=split.value,
            protocol=chosen.value,
            seen=seen.value,
            save_scores=save_scores,
            progress=not json_,
        )
        summary = {"seed": model.run.spec.seed, "data": model.run.spec.data, **found.summary()}
        if json_:
            print_json(summary)
            return
        for table in evaluation_tables(summary):
            out().print(table)


def _with_floors(rows: list[Any], data: Path, length: int) -> list[Any]:
    """Append the metrics of baselines without training, on the same users, to rows of metrics."""
    from solidrec.data.prepared import PreparedData
    from solidrec.evaluate.baselines import BASELINES
    from solidrec.evaluate.runner import evaluate
    from solidrec.terminal import PROTOCOLS

    opened = PreparedData.open(data)
    split: Literal["valid", "test"] = "test" if "test" in opened.manifest["negatives"] else "valid"
    names = _FLOORS_BY_TIME if opened.manifest["split"] == "time" else _FLOORS
    floors = [
        (
            f"{name}, {split}, {PROTOCOLS['full']}",
            evaluate(
                BASELINES[name](opened), opened, split=split, protocol="full", length=length
            ).metrics,
        )
        for name in names
    ]
    return [*rows, *floors]
