"""Choose the items of an answer where the best scores alone do not decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from solidrec.arrays import Array

POOL = 10
"""Items that diversity chooses from, in multiples of k: the best ones, at least `_SMALLEST`."""
_SMALLEST = 100
Labels = tuple[Sequence[Sequence[Any]], int]
"""The values of each item in a column, and how many items may share one."""


def choose(
    scores: Array, k: int, *, vectors: Array | None, diversity: float, at_most: Sequence[Labels]
) -> Array:
    """Return the columns (at most k,) of an answer, in its order.

    `scores` (V,) are -inf for items that may not be returned; `vectors` (V, D) of length 1 say how
    alike items are. With ``diversity`` d, items are taken one by one, the next of the best ones is
    that with the largest (1 - d) score - d likeness to the nearest one taken, scores scaled to
    [0, 1] (maximal marginal relevance, Carbonell & Goldstein, SIGIR 1998). No value of a column in
    `at_most` is shared by more items than it says. There are fewer than k only if no more fit.
    """
    order = np.lexsort((np.arange(len(scores)), -scores))
    order = order[np.isfinite(scores[order])]
    counts = [Counter[Any]() for _ in at_most]
    taken: list[int] = []
    if diversity and vectors is not None:
        pool = order[: max(_SMALLEST, POOL * k)]
        taken += _varied(scores[pool], pool, k, vectors, diversity, at_most=at_most, counts=counts)
    for column in order.tolist() if len(taken) < k else ():
        if len(taken) == k:
            break
        if column not in taken and _fits(column, at_most, counts):
            taken.append(column)
    return np.asarray(taken, dtype=np.int64)


def _fits(column: int, at_most: Sequence[Labels], counts: Sequence[Counter[Any]]) -> bool:
    """Count an item under each of its values, unless one of them has enough items."""
    both = list(zip(at_most, counts, strict=True))
    if any(count[value] >= most for (labels, most), count in both for value in labels[column]):
        return False
    for (labels, _), count in both:
        count.update(labels[column])
    return True


def _varied(
    scores: Array,
    pool: Array,
    k: int,
    vectors: Array,
    diversity: float,
    *,
    at_most: Sequence[Labels],
    counts: Sequence[Counter[Any]],
) -> list[int]:
    """Return items of the pool in the order of their marginal relevance."""
    low, high = scores.min(initial=np.inf), scores.max(initial=-np.inf)
    gain = (1 - diversity) * (scores - low) / max(high - low, 1e-12)
    own = vectors[pool]
    alike = np.full(len(pool), -1.0)  # to the nearest item taken; as unlike as can be before
    taken: list[int] = []
    open_ = np.ones(len(pool), dtype=bool)
    while len(taken) < k and open_.any():
        best = int(np.argmax(np.where(open_, gain - diversity * alike, -np.inf)))
        open_[best] = False
        if _fits(int(pool[best]), at_most, counts):
            taken.append(int(pool[best]))
            alike = np.maximum(alike, own @ own[best])
    return taken
