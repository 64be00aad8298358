"""Neighbourhood baselines over the memories of a mixture, without any training."""

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
from solidrec.nn.mixture import CONTENT, LOG, of_candidates
from solidrec.nn.mixture_head import START

_CONTENTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
"""Weights of content beside the log that *knn-content* tries on validation users."""
_JUDGED = 5_000
"""Most validation users, evenly spaced, on which settings are chosen."""
_WINDOW = 50
"""Items of a history that are read while weights are chosen."""
_SCALES = START["temperature"]


@final
class Neighbours:
    """Score candidates by the sum over kinds of memory of `weights` (K,) times log(1 + x / k).

    x is how much the history's items speak for a candidate in one kind. `memories` give the kinds
    in their order and `scales` (K,) the k that a mixture starts from. An empty history scores 0.
    """

    def __init__(
        self, memories: tuple[Memory, ...], scales: tuple[float, ...], weights: tuple[float, ...]
    ) -> None:
        self.memories, self.scales, self.weights = memories, scales, weights

    def __call__(self, histories: Array, candidates: Array) -> Array:
        """Score `candidates` (R or 1, C) for `histories` (R, L), both 0-padded; return (R, C)."""
        items = len(self.memories[0].starts) - 2
        step = max(1, FLOATS_AT_ONCE // max(4 * items, entries(histories.shape[1])))
        parts = [
            self.block(histories[some], candidates if len(candidates) == 1 else candidates[some])
            for some in slices(len(histories), step)
        ]
        return np.concatenate(parts) if parts else np.zeros(candidates.shape, dtype=np.float32)

    def block(self, histories: Array, candidates: Array) -> Array:
        """Score one block of histories."""
        history = torch.from_numpy(histories.astype(np.int64))
        counted = torch.cat([one(history) for one in self.memories])  # (K, r, V)
        kinds = zip(counted, self.scales, self.weights, strict=True)
        scores = sum(
            (weight * torch.log1p(known / scale) for known, scale, weight in kinds),
            counted.new_zeros(counted.shape[1:]),
        )
        ids = torch.from_numpy(candidates.astype(np.int64))
        return np.asarray(of_candidates(scores, ids).masked_fill(ids == 0, 0.0).numpy())


def _log_memory(
    data: PreparedData, decay: tuple[float, float] = LOG, target: float = TARGET
) -> Memory:
    """Return the forward and the symmetric memory of the training events, which fade by `decay`."""
    found = transitions(
        data.event_items, data.offsets, data.train_end, items=len(data.items), target=target
    )
    return memory(list(found), decay)


def _forward_knn(data: PreparedData, *, decay: float = LOG[0], target: float = TARGET) -> Scorer:
    """Return item-kNN with order: items that came after the history's items, near events more.

    A history's item counts `decay` to the power of its age; `target` is that of `transitions`. Both
    settings are those of `_symmetric_knn` too.
    """
    return Neighbours((_log_memory(data, (decay, LOG[1]), target),), _SCALES[:2], (1.0, 0.0))


def _symmetric_knn(data: PreparedData, *, decay: float = LOG[1], target: float = TARGET) -> Scorer:
    """Return item-kNN without order: items that came with the history's, recent ones more."""
    return Neighbours((_log_memory(data, (LOG[0], decay), target),), _SCALES[:2], (0.0, 1.0))


def _content_knn(data: PreparedData, *, decay: float = CONTENT[0]) -> Scorer:
    """Return kNN by content (`experts.alike`): items like the history's, which fade by `decay`."""
    return Neighbours((memory([content_of(data)], (decay,)),), _SCALES[2:3], (1.0,))


def _knn_content(data: PreparedData, *, length: int = _WINDOW) -> Scorer:
    """Return forward or symmetric item-kNN with content, weighted as is best on validation users.

    `length` items of a history are read to choose.
    """
    memories = (_log_memory(data), memory([content_of(data)], CONTENT))
    tried = [(*log, weight) for log in ((1.0, 0.0), (0.0, 1.0)) for weight in _CONTENTS]
    if "valid" not in data.manifest["negatives"]:
        return Neighbours(memories, _SCALES[:3], (1.0, 0.0, 1.0))

    def judged(weights: tuple[float, ...]) -> float:
        return judge(Neighbours(memories, _SCALES[:3], weights), data, length=length)

    return Neighbours(memories, _SCALES[:3], max(tried, key=judged))


def judge(scorer: Scorer, data: PreparedData, *, length: int) -> float:
    """Return NDCG@10 over the whole catalogue on at most 5,000 validation users, -1 without any."""
    found = evaluate(scorer, data, split="valid", protocol="full", most=_JUDGED, length=length)
    ndcg = found.metrics["NDCG@10"]
    return -1.0 if ndcg is None else ndcg


NEIGHBOURS: dict[str, Callable[..., Scorer]] = {
    "forward-knn": _forward_knn,
    "symmetric-knn": _symmetric_knn,
    "content-knn": _content_knn,
    "knn-content": _knn_content,
}
