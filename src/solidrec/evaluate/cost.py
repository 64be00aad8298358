"""Cost of a model: learned parameters, generated weights, bytes and seconds (paper's Table 5)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import prod
from statistics import median
from typing import Any

import numpy as np
import torch

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.inference.scorer import HistoryScorer, own_weights
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender
from solidrec.spec import RunSpec

_USERS = 1024  # in a timed batch
WARM_UP, REPEATS = 3, 15
"""Batches that are not timed, and timed batches, whose median is reported."""


def cost(model: Recommender | Mixture, data: PreparedData, spec: RunSpec) -> dict[str, Any]:
    """Return the cost of a model in plain values.

    ``parameters`` as `parameters` counts them; ``generated`` the numbers and bytes of each user's
    weights (0 if all share one set); ``state_bytes`` the size of the model's state, buffers
    included; ``inference`` the seconds of a batch of 1,024 test users of `data` with their target
    and its fixed negatives, from histories to scores as in evaluation, on one thread, with the
    fastest and the slowest timed batch. Raises `UsageError` if the data has no test rows.
    """
    slots = model.head.slots if own_weights(model) else {}
    numbers = sum(prod(shape) for shape in slots.values())
    return {
        "model": spec.model.name,
        "backbone": spec.model.backbone.name,
        "parameters": parameters(model),
        "generated": {"numbers": numbers, "bytes": numbers * model.items.weight.element_size()},
        "state_bytes": sum(
            tensor.numel() * tensor.element_size() for tensor in model.state_dict().values()
        ),
        "inference": _inference(model, data, length=spec.model.history_length),
    }


def parameters(model: Recommender | Mixture) -> dict[str, int]:
    """Count every registered parameter once, by the part that owns it, with their ``total``.

    ``items`` the item table · ``backbone`` · ``head`` what the head owns (APG's U and V) ·
    ``shared`` the head's weights of a static model · ``trunk`` and ``branch`` their generators ·
    ``metacode`` the trunk's semantic table · ``codebook`` codes and the MLP that reads them ·
    ``other`` unknown parts. Parts without a parameter are left out.
    """
    counted: set[int] = set()
    found: dict[str, int] = {}
    for name, part in [*model.parts(), ("other", model)]:
        fresh = {
            id(parameter): parameter.numel()
            for parameter in part.parameters()
            if id(parameter) not in counted
        }
        counted |= fresh.keys()
        found[name] = found.get(name, 0) + sum(fresh.values())
    return {**{name: count for name, count in found.items() if count}, "total": sum(found.values())}


def _inference(model: Recommender | Mixture, data: PreparedData, *, length: int) -> dict[str, Any]:
    """Return the seconds of a batch of 1,024 test users on one thread; fewer users are repeated."""
    rows = data.rows("test")
    if not len(rows):
        raise UsageError(
            f"{data.path}: has no test rows; the cost of inference is measured on them"
        )
    picked = np.arange(_USERS) % len(rows)
    histories = data.histories(rows.users[picked], rows.positions[picked], length)
    candidates = rows.candidates(0, _USERS)[picked]
    score = scorer_of(model)
    with _one_thread():
        timed = [_timed(score, histories, candidates) for _ in range(WARM_UP + REPEATS)]
    seconds = sorted(timed[WARM_UP:])
    return {
        "users": _USERS,
        "candidates": candidates.shape[1],
        "threads": 1,
        "device": str(score.device),
        "batches": REPEATS,
        "seconds": median(seconds),
        "low": seconds[0],
        "high": seconds[-1],
    }


def _timed(score: HistoryScorer, histories: np.ndarray, candidates: np.ndarray) -> float:
    """Return the seconds of one batch; its scores are an array, so the device has finished."""
    started = time.perf_counter()
    score(histories, candidates)
    return time.perf_counter() - started


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread, then restore the previous number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def training_seconds(history: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """Return the median seconds of an epoch, its validation included, for each stage of a run.

    `history` holds the rows of `history.jsonl`. Epoch 0, the start of a later stage, does not
    count. With a validation split, training alone takes an epoch's positives divided by its
    ``positives_per_second``.

    >>> rows = [(1, 1, 5.0), (1, 2, 3.0), (1, 3, 4.0), (2, 0, 0.1), (2, 1, 7.0)]
    >>> training_seconds([{"stage": stage, "epoch": epoch, "seconds": seconds}
    ...                   for stage, epoch, seconds in rows])
    {1: 4.0, 2: 7.0}
    """
    stages: dict[int, list[float]] = {}
    for row in history:
        if row["epoch"] > 0:
            stages.setdefault(row["stage"], []).append(row["seconds"])
    return {stage: median(seconds) for stage, seconds in stages.items()}
