"""Measure training: epochs of one stage as `solidrec train` runs them, without validation."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS
from solidrec.nn.build import build, stages
from solidrec.nn.recommender import Recommender
from solidrec.spec import ModelSpec, RunSpec, TrainSpec
from solidrec.training.display import Silent
from solidrec.training.loop import Progress, Stage
from solidrec.training.seeds import seed_torch
from solidrec.training.stages import batches_for
from speed.data import DATA, LAST, semantic_ids
from speed.floor import training_flops
from speed.measurement import Subject, Timed, timed

ML100K_CODES = 246
"""The codes of `semantic_ids` for MovieLens 100K, whose search the floor counts."""
ML100K_ITEMS = 1_682
TRAINED = (
    ("static", "sasrec"),
    ("apg", "sasrec"),
    ("duet", "sasrec"),
    ("solid-apg", "sasrec"),
    ("solid-duet", "sasrec"),
    ("static", "gru4rec"),
    ("static", "din"),
    ("static", "bert4rec"),
)
EVERY = TrainSpec(batch_size=1024, targets_per_pass=ModelSpec().history_length)
"""Steps as large as the paper's (Table 7), where every position of a pass is a target."""
BY_DEFAULT = ("static", "duet", "solid-duet")
ENOUGH = 100_000
"""Positives of one repeat at least, as the time of a single step varies too much."""
WIDE = 10_240
"""Positives in a batch as large as rectools' 1,024 users with ten positions each."""
SOFTMAX = EVERY.model_copy(update={"loss": "softmax"})


def new_model(spec: ModelSpec, data: PreparedData) -> Recommender:
    """Build a model at its last stage, with random semantic ids if it reads any."""
    seed_torch(0, "parameters")
    of_item = None
    if DESIGNS[spec.name].needs_semantics:
        of_item = torch.from_numpy(semantic_ids(len(data.items)))
    return build(spec, items=len(data.items), semantic_of_item=of_item)


def new_stage(spec: ModelSpec, train: TrainSpec, data: PreparedData) -> Stage:
    """Return the model's last stage, without validation, display and checkpoints."""
    model = new_model(spec, data)
    run = RunSpec(data=data.fingerprint, model=spec, train=train)
    batches = batches_for(model, data, run, device="cpu")
    return Stage(
        model,
        batches,
        train,
        seed=0,
        progress=Progress(stage=stages(spec)),
        validate=lambda: None,
        save=lambda stage: None,
        display=Silent(),
        revive=spec.codebook.revive,
    )


def prepare_epochs(
    spec: ModelSpec, train: TrainSpec, part: str, folder: Path
) -> Callable[[], Timed]:
    """Return a function that trains one epoch of a stage, or as many as have `ENOUGH` positives."""
    stage = new_stage(spec, train, PreparedData.open(folder / part))
    epochs = max(1, round(ENOUGH / stage.batches.positives))

    def some() -> None:
        for _ in range(epochs):
            stage.run_epoch()

    return lambda: timed(epochs * stage.batches.positives, some)


def training(name: str, backbone: str, *, train: TrainSpec = EVERY, part: str = DATA) -> Subject:
    """Return the measurement of one model's epochs."""
    spec = ModelSpec.parse({"name": name, "backbone": backbone})
    flops = training_flops(spec, train, codes=ML100K_CODES, items=ML100K_ITEMS)
    epochs = partial(prepare_epochs, spec, train, part)
    return Subject("positives", epochs, flops=flops, memory=True)


SUBJECTS = {
    **{f"train/{name}/{backbone}": training(name, backbone) for name, backbone in TRAINED},
    **{
        f"train/{name}/sasrec/default": training(name, "sasrec", train=TrainSpec())
        for name in BY_DEFAULT
    },
    "train/static/sasrec/window": training(
        "static", "sasrec", train=EVERY.model_copy(update={"targets_per_pass": 1})
    ),
    "train/static/sasrec/last": training("static", "sasrec", part=LAST),
    "train/static/sasrec/last/wide": training(
        "static", "sasrec", part=LAST, train=EVERY.model_copy(update={"batch_size": WIDE})
    ),
    "train/plain/sasrec/softmax": training("plain", "sasrec", part=LAST, train=SOFTMAX),
    "train/plain/sasrec/softmax/wide": training(
        "plain", "sasrec", part=LAST, train=SOFTMAX.model_copy(update={"batch_size": WIDE})
    ),
}
"""*default* is what `solidrec train` does; the others have `EVERY` or `SOFTMAX` settings.

*window*: each target has its own window, full if the user has as many items. *last*: only the
positions that rectools and replay count, the last ten of each user. *wide*: these in one batch.
*softmax*: over all items, at the same positions.
"""
