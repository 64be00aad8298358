"""How long a training will take and how much memory it needs, measured on a few steps of it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS
from solidrec.inference.scorer import ModelScorer
from solidrec.nn.build import plain
from solidrec.nn.recommender import Recommender
from solidrec.semantics.ids import SemanticIds
from solidrec.spec import RunSpec
from solidrec.training.batches import TrainingBatches
from solidrec.training.display import Silent
from solidrec.training.loop import Progress, Stage
from solidrec.training.memory_plan import free_memory, least_memory
from solidrec.training.stages import batches_for, start_of_stage

_STEPS, _WARM_UP = 12, 3
"""Steps that are measured, after some that are not."""
_RANKED = 256
"""Histories whose ranking of the whole catalogue is measured."""
_TYPICAL = 20
"""Epochs after which many trainings have found their best one (docs/log.md: 8 to 45)."""


def plan(
    data: PreparedData, spec: RunSpec, semantics: SemanticIds | None, *, device: str = "cpu"
) -> dict[str, Any]:
    """Return what a training takes, in seconds and bytes, as plain values.

    ``epoch_seconds`` are those of one epoch with its validation, ``seconds`` those of 20 epochs
    of each training that the design needs (a mixture trains its neural expert on all events and on
    one or two parts of them), ``most_seconds`` those of all epochs that the specification allows.
    Memories, semantic ids and a mixture's weights come on top: about as much as some epochs.
    """
    design = DESIGNS[spec.model.name]
    own = spec.model_copy(update={"model": plain(spec.model)}) if design.is_mixture else spec
    model = start_of_stage(data, own, semantics, None, stage=1, device=device)
    batches = batches_for(model, data, own, device=device)
    step = _step_seconds(model, batches, own)
    valid = data.manifest["negatives"].get("valid") is not None
    users = len(data.rows("valid")) if valid else 0
    rank = _rank_seconds(model, data, own) if users else 0.0
    epoch = batches.steps * step + users * rank
    trainings = {"users": 2.0, "time": 1.9}[spec.train.folds] if design.is_mixture else 1.0
    memory = least_memory(data, spec)
    return {
        "model": spec.model.name,
        "backbone": spec.model.backbone.name,
        "device": device,
        "users": len(data.users),
        "items": len(data.items),
        "interactions": data.manifest["interactions"],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps": batches.steps,
        "step_seconds": step,
        "epoch_seconds": epoch,
        "epochs": _TYPICAL,
        "seconds": _TYPICAL * epoch * trainings,
        "most_seconds": spec.train.epochs * epoch * trainings,
        "memory_bytes": memory,
        "free_bytes": free_memory(device),
        "request_seconds": rank,
    }


def _step_seconds(model: Recommender, batches: TrainingBatches, spec: RunSpec) -> float:
    """Return the seconds of a training step, the median of some."""
    stage = Stage(
        model,
        batches,
        spec.train,
        seed=spec.seed,
        progress=Progress(),
        validate=lambda: None,
        save=lambda stage: None,
        display=Silent(),
    )
    model.train()
    seconds, started = [], time.perf_counter()
    for number, batch in enumerate(batches.epoch(1, 0)):
        stage.optimizer.step(stage.loss(stage.forward, batch).value)
        now = time.perf_counter()
        seconds.append(now - started)
        started = now
        if number + 1 == _WARM_UP + _STEPS:
            break
    # Batches are made some at a time, so the mean counts, not the median.
    return float(np.mean(seconds[_WARM_UP:] or seconds))


def _rank_seconds(model: Recommender, data: PreparedData, spec: RunSpec) -> float:
    """Return the seconds in which a user's ranking of the whole catalogue is computed."""
    rows = data.rows("valid")
    some = slice(0, min(_RANKED, len(rows)))
    length = spec.model.history_length
    histories = data.histories(rows.users[some], rows.positions[some], length)
    everything = np.arange(1, len(data.items) + 1)[None]
    score = ModelScorer(model)
    score(histories[:8], everything)
    started = time.perf_counter()
    score(histories, everything)
    return (time.perf_counter() - started) / len(histories)
