"""The AUC of all scores together, where a tie counts half and negatives come in chunks."""

from __future__ import annotations

from typing import final

import numpy as np

from solidrec.arrays import Array
from solidrec.score_checks import finite, floating, same_shape

_STEPS = 1 << 20  # most steps of the table: 4 MB
_PIECE = 1 << 15  # negatives that are counted at a time, so that scratch arrays fit the cache
_WAITING = 1 << 20  # most negatives that wait to be sorted, or 16 per positive if that is more


@final
class PooledAuc:
    """The exact AUC of all positives against all negatives, where a tie counts half.

    The positives are given first (one score per user needs little memory), so a full catalogue of
    negatives is never in memory at once. A table over equal steps of the positives' range gives,
    for nearly every negative, how many positives are above it. Negatives that share a step with a
    positive wait, and are sorted and searched together. So time is linear in the negatives and
    memory is bounded.

    >>> pooled = PooledAuc(np.array([2.0, 1.0]))
    >>> pooled.add(np.array([1.0, 0.0])); pooled.add(np.array([3.0]))
    >>> pooled.value() == (1 + 1 + 0 + 1 / 2 + 1 + 0) / 6
    True
    """

    def __init__(self, positives: Array) -> None:
        self._negatives = 0
        self._halves = 0  # 2 per win and 1 per tie; a Python integer, so the sum is exact
        self._waiting: list[Array] = []
        self._set(np.sort(finite(floating(np.asarray(positives))), axis=None))

    def add(self, negatives: Array) -> None:
        """Count negatives (-inf: no candidate), or raise `DivergedError` for NaN or infinity."""
        negatives = floating(np.asarray(negatives))
        if not negatives.max(initial=-np.inf) < np.inf:
            finite(negatives)
        if (wider := np.result_type(self._positives, negatives)) != self._positives.dtype:
            self._set(self._positives.astype(wider))
        flat = negatives.reshape(-1)
        for start in range(0, flat.size, _PIECE):
            self._count(flat[start : start + _PIECE])
        if sum(map(len, self._waiting)) >= max(_WAITING, 16 * self._positives.size):
            self._search()

    def value(self) -> float:
        """Return the AUC so far, or NaN without a positive or without a negative."""
        self._search()
        pairs = self._positives.size * self._negatives
        return self._halves / (2 * pairs) if pairs else float("nan")

    def _set(self, ordered: Array) -> None:
        """Store sorted positives and how many are above each step, -1 for a step that holds one."""
        self._positives = ordered
        steps = min(64 * max(ordered.size, 4), _STEPS)
        low, high = (float(ordered[0]), float(ordered[-1])) if ordered.size else (0.0, 0.0)
        self._last = steps - 1
        reach = high - low
        self._low = low
        # Steps per unit of score, bounded because 0 and infinity would make NaN.
        self._scale = min(max((steps - 3) / reach, 1e-30), 1e30) if reach else 1.0
        self._scratch = (
            np.empty(_PIECE, ordered.dtype),
            np.empty(_PIECE, np.intp),
            np.empty(_PIECE, np.int32),
        )
        # Positives in each step, and from them the positives above each step.
        held = np.zeros(steps, dtype=np.int64)
        for start in range(0, ordered.size, _PIECE):
            held += np.bincount(self._steps(ordered[start : start + _PIECE]), minlength=steps)
        self._above: Array = np.where(held > 0, -1, ordered.size - np.cumsum(held)).astype(np.int32)

    def _steps(self, scores: Array) -> Array:
        """Return the step of each score, which never decreases as the score increases.

        Step 0 is below all positives and the last step is above them.
        """
        place, step, _ = (scratch[: scores.size] for scratch in self._scratch)
        with np.errstate(over="ignore"):
            np.subtract(scores, self._low, out=place)
            np.multiply(place, self._scale, out=place)
        np.clip(np.add(place, 1, out=place), 0, self._last, out=place)
        np.copyto(step, place, casting="unsafe")
        return step

    def _count(self, piece: Array) -> None:
        """Count a few negatives; those that share a step with a positive wait."""
        above = self._above.take(
            self._steps(piece), out=self._scratch[2][: piece.size], mode="clip"
        )
        unsure = np.flatnonzero(above < 0)  # in a step that holds a positive
        self._waiting.append(piece[unsure])
        absent = int(np.count_nonzero(piece == -np.inf))
        self._negatives += piece.size - absent
        # If no sum can exceed int32, summing in int32 is exact and five times faster.
        small = _PIECE * self._positives.size < 2**31
        total = int(above.sum(dtype=np.int32 if small else np.int64))
        # Take out the -1 of waiting negatives, and -inf, which lies below every positive.
        self._halves += 2 * (total + unsure.size - absent * self._positives.size)

    def _search(self) -> None:
        """Count the waiting negatives exactly."""
        chunk = np.sort(np.concatenate([*self._waiting, self._positives[:0]]))
        # Negatives below each positive, and not above it: the sum has 2 per win and 1 per tie.
        below, upto = (np.searchsorted(chunk, self._positives, side) for side in ("left", "right"))
        self._halves += int(below.sum()) + int(upto.sum())
        self._waiting = []


def _pooled_auc(scores: Array, labels: Array) -> float:
    """Return the exact AUC over `scores` of any shape, with `labels` 1 for positives and else 0."""
    scores = finite(np.asarray(scores))
    positive = same_shape(scores, labels, "labels").astype(bool)
    pooled = PooledAuc(scores[positive])
    pooled.add(scores[~positive])
    return pooled.value()
