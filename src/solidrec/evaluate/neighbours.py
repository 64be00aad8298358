"""Neighbourhood scorers over the memories of a mixture: what can be had without training a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import numpy as np
import torch

from solidrec.arrays import Array
from solidrec.data.prepared import PreparedData
from solidrec.evaluate.runner import evaluate
from solidrec.experts.alike import content_of
from solidrec.experts.counted import memory
from solidrec.experts.transitions import TARGET, transitions
from solidrec.inference.scorer import FLOATS_AT_ONCE, Scorer, entries, slices
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import CONTENT, LOG, START, of_candidates

_CONTENTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Weights of content beside the log that *knn-content* tries on validation."""
_JUDGED = 5_000
"""Validation users that choose among them, at most, evenly spaced."""
_WINDOW = 50
"""Items of a history that are read while weights are chosen."""
_SCALES = START["temperature"]


@final
class Neighbours:
    """Scores a candidate by log(1 + x / k) of what the history's items say of it, summed over kinds with `weights` (K,).

    `memories` give the kinds in their order, and k is what a mixture starts from. An empty history scores 0.
    """

    def __init__(
        self, memories: tuple[Memory, ...], scales: tuple[float, ...], weights: tuple[float, ...]
    ) -> None:
        self.memories, self.scales, self.weights = memories, scales, weights

    def __call__(self, histories: Array, candidates: Array) -> Array:
        """Score `candidates` (R or 1, C) for `histories` (R, L), both with 0 for padding; returns (R, C)."""
        items = len(self.memories[0].starts) - 2
        step = max(1, FLOATS_AT_ONCE // max(4 * items, entries(histories.shape[1])))
        parts = [
            self.block(histories[some], candidates if len(candidates) == 1 else candidates[some])
            for some in slices(len(histories), step)
        ]
        return np.concatenate(parts) if parts else np.zeros(candidates.shape, dtype=np.float32)

    def block(self, histories: Array, candidates: Array) -> Array:
        """Score a block of bounded memory."""
        history = torch.from_numpy(histories.astype(np.int64))
        counted = torch.cat([one(history) for one in self.memories])
        kinds = zip(counted, self.scales, self.weights, strict=True)
        scores = sum(
            (weight * torch.log1p(known / scale) for known, scale, weight in kinds),
            counted.new_zeros(counted.shape[1:]),
        )
        of_padding = torch.from_numpy(
            np.broadcast_to(candidates == 0, (len(histories), candidates.shape[1])).copy()
        )
        found = of_candidates(scores, torch.from_numpy(candidates.astype(np.int64))).masked_fill(
            of_padding, 0.0
        )
        return np.asarray(found.numpy())


def _log_memory(
    data: PreparedData, decay: tuple[float, float] = LOG, target: float = TARGET
) -> Memory:
    """Return the forward and the symmetric memory of the training events, whose histories fade by `decay`."""
    found = transitions(
        data.event_items, data.offsets, data.train_end, items=len(data.items), target=target
    )
    return memory(list(found), decay)


def _forward_knn(data: PreparedData, *, decay: float = LOG[0], target: float = TARGET) -> Scorer:
    """Item-kNN that knows the order: what came after the history's items, near events more.

    An event more in age takes `decay` from an item of the history; `target` is that of `experts.transitions`.
    """
    return Neighbours((_log_memory(data, (decay, LOG[1]), target),), _SCALES[:2], (1.0, 0.0))


def _symmetric_knn(data: PreparedData, *, decay: float = LOG[1], target: float = TARGET) -> Scorer:
    """Item-kNN without order: what the history's items came with, recent ones of the history more; settings as `_forward_knn`."""
    return Neighbours((_log_memory(data, (LOG[0], decay), target),), _SCALES[:2], (0.0, 1.0))


def _content_knn(data: PreparedData, *, decay: float = CONTENT[0]) -> Scorer:
    """What is described as the history's items are (`experts.alike`), which fade by `decay`."""
    return Neighbours((memory([content_of(data)], (decay,)),), _SCALES[2:3], (1.0,))


def _knn_content(data: PreparedData, *, length: int = _WINDOW) -> Scorer:
    """The better of forward and symmetric item-kNN with content beside it, weighed as is best on validation users.

    `length` items of a history are read meanwhile.
    """
    memories = (_log_memory(data), memory([content_of(data)], CONTENT))
    tried = [(*log, weight) for log in ((1.0, 0.0), (0.0, 1.0)) for weight in _CONTENTS]
    if "valid" not in data.manifest["negatives"]:
        return Neighbours(memories, _SCALES[:3], (1.0, 0.0, 1.0))

    def judged(weights: tuple[float, ...]) -> float:
        return judge(Neighbours(memories, _SCALES[:3], weights), data, length=length)

    return Neighbours(memories, _SCALES[:3], max(tried, key=judged))


def judge(scorer: Scorer, data: PreparedData, *, length: int) -> float:
    """Return NDCG@10 over the whole catalogue on validation users, 5,000 at most: what a baseline's settings are chosen by."""
    found = evaluate(
        scorer, data, split="valid", protocol="full", most=_JUDGED, length=length
    ).metrics["NDCG@10"]
    return -1.0 if found is None else found


NEIGHBOURS: dict[str, Callable[..., Scorer]] = {
    "forward-knn": _forward_knn,
    "symmetric-knn": _symmetric_knn,
    "content-knn": _content_knn,
    "knn-content": _knn_content,
}
