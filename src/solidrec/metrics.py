"""Ranking metrics per row, to be averaged afterwards; ties count by expectation.

If a scorer cannot tell candidates apart, they get the mean over all orders of the tied candidates,
not the best or the worst order. So a constant scorer scores as chance (of 100 candidates: UAUC .5,
Recall@10 .10), whatever column the target is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from solidrec.arrays import Array, Bools, Floats, Ints
from solidrec.errors import UsageError
from solidrec.registry import METRICS
from solidrec.score_checks import checked, finite, same_shape


@final
@dataclass(frozen=True, eq=False)
class Ranks:
    """The place of each row's target, from which all metrics of leave-one-out rows follow.

    `greater` (R,): candidates with a higher score. `ties` (R,): *other* candidates with the same
    score. `candidates` (R,): the number of candidates, including the target.
    """

    greater: Ints
    ties: Ints
    candidates: Ints

    @staticmethod
    def concatenate(parts: Sequence[Ranks]) -> Ranks:
        """Join the ranks of consecutive batches of rows."""
        return Ranks(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("greater", "ties", "candidates")
            )
        )


def ranks(scores: Array, target_column: int | Array = 0, *, mask: Array | None = None) -> Ranks:
    """Rank the target of each row among its candidates.

    `scores` (R, C). `target_column`: one column for all rows, or (R,). `mask` (R, C) is False where
    a column is not a candidate; the target always is one. Raises `DivergedError` that names the
    first row with a score that is not finite.

    >>> found = ranks(np.array([[2.0, 3.0, 2.0, 1.0]]))
    >>> int(found.greater[0]), int(found.ties[0]), int(found.candidates[0])
    (1, 1, 4)
    """
    scores, candidate = checked(scores, mask)
    target = finite(scores[np.arange(len(scores)), target_column][:, None])
    if mask is not None:
        scores = np.where(candidate, scores, -np.inf)
        np.put_along_axis(scores, np.broadcast_to(target_column, len(scores))[:, None], target, 1)
    return standing(scores, target_column)


def standing(scores: Array, target_column: int | Array = 0) -> Ranks:
    """Rank as `ranks` does, but without its checks; a score of -inf marks a column as no candidate.

    >>> found = standing(np.array([[2.0, -np.inf, 3.0]]))
    >>> int(found.greater[0]), int(found.ties[0]), int(found.candidates[0])
    (1, 0, 2)
    """
    target = scores[np.arange(len(scores)), target_column][:, None]
    equal = scores == target
    # Ties are rare, and one count over the whole array finds out faster than a count per row.
    tied = np.count_nonzero(equal) > len(scores)
    ties = _count(equal) - 1 if tied else np.zeros(len(scores), dtype=np.int64)
    return Ranks(_count(scores > target), ties, _count(scores > -np.inf))


def per_row(ranks: Ranks, ks: Sequence[int] = (5, 10, 20)) -> dict[str, Floats]:
    """Return UAUC, NDCG@k, Recall@k, MRR and registered metrics (R,) of rows with one target.

    UAUC is the AUC of the row. A row whose target is its only candidate has nothing to rank and is
    NaN in every metric (see `mean`).

    >>> constant = ranks(np.zeros((1, 100)))
    >>> {name: round(float(value[0]), 4) for name, value in per_row(constant, ks=(10,)).items()}
    {'UAUC': 0.5, 'NDCG@10': 0.0454, 'Recall@10': 0.1, 'MRR': 0.0519}
    """
    # The target is equally likely on each of the places first + 1 .. last.
    first, last = ranks.greater, ranks.greater + ranks.ties + 1
    negatives = ranks.candidates - 1
    found = {"UAUC": (negatives - ranks.greater - ranks.ties / 2) / np.maximum(negatives, 1)}
    found |= {f"NDCG@{k}": _expected(_discounts(k), first, last) for k in _cutoffs(ks)}
    found |= {f"Recall@{k}": _expected(np.arange(k + 1.0), first, last) for k in ks}
    found["MRR"] = _expected(_reciprocals(int(last.max(initial=1))), first, last)
    found |= {name: np.asarray(metric(ranks), dtype=np.float64) for name, metric in METRICS.items()}
    return _only(negatives > 0, found)


def per_row_many(
    scores: Array, labels: Array, ks: Sequence[int] = (5, 10, 20), *, mask: Array | None = None
) -> dict[str, Floats]:
    """Return the metrics of `per_row` for rows with any number of positives, each (R,).

    `scores`, `labels` and `mask` are (R, C). NDCG divides by that of the best order. Recall divides
    by the number of positives, so it is below 1 in a row with more than k of them. MRR is the
    reciprocal place of the first positive. A row without a positive or without a negative is NaN in
    every metric (see `mean`). Raises `DivergedError` as `ranks` does.
    """
    scores, candidate = checked(scores, mask)
    positive = same_shape(scores, labels, "labels").astype(bool) & candidate
    # Negated scores put the best first; inf puts columns that are no candidates last, without ties.
    keys = np.where(candidate, -scores, np.inf)
    order = np.argsort(keys, axis=1, kind="stable")
    # Each positive as (row, column) of the sorted scores, with the places of its tie group.
    rows, columns = np.nonzero(np.take_along_axis(positive, order, 1))
    first, last = (ends[rows, columns] for ends in _tie_groups(np.take_along_axis(keys, order, 1)))
    positives, count = positive.sum(1), candidate.sum(1)
    negatives = count - positives
    some = np.maximum(positives, 1)

    def total(each: Array) -> Array:  # summed over the positives of each row
        return np.bincount(rows, weights=each, minlength=len(scores))

    # AUC by the Mann-Whitney statistic: ranks from the worst score up, ties at their mean rank.
    rank_sum = total(count[rows] + 1 - (first + last + 1) / 2)
    wins = rank_sum - positives * (positives + 1) / 2
    found = {"UAUC": wins / (some * np.maximum(negatives, 1))}
    for k in _cutoffs(ks):
        gains = _discounts(k)
        found[f"NDCG@{k}"] = total(_expected(gains, first, last)) / gains[np.minimum(some, k)]
    found |= {f"Recall@{k}": total(_expected(np.arange(k + 1.0), first, last)) / some for k in ks}
    found["MRR"] = np.ones(len(scores))
    led, leader = np.unique(rows, return_index=True)  # each row's best positive
    # How many positives share the tie group of the best one.
    hits = total(first == first[leader][np.searchsorted(led, rows)])[led]
    found["MRR"][led] = _first_hit(first[leader], (last - first)[leader], hits)
    return _only((positives > 0) & (negatives > 0), found)


def mean(values: Array) -> tuple[float, int]:
    """Return the mean of the rows that are not NaN (NaN if there are none) and how many are NaN.

    >>> mean(np.array([1.0, np.nan, 0.0]))
    (0.5, 1)
    """
    counted = values[~np.isnan(values)]
    average = float(counted.mean()) if counted.size else float("nan")
    return average, int(values.size - counted.size)


def by_user(values: Array, users: Array) -> tuple[Array, Floats]:
    """Average the rows of each user; return sorted users (U,) and their means (U,).

    `values` and `users` are (R,). NaN rows are skipped; a user without other rows is NaN.

    >>> [found.tolist() for found in by_user(np.array([1.0, 0.0, 1.0]), np.array([7, 7, 3]))]
    [[3, 7], [1.0, 0.5]]
    """
    names, index = np.unique(users, return_inverse=True)  # index: the place of each row's user
    counted = ~np.isnan(values)
    rows = np.bincount(index[counted], minlength=len(names))
    sums = np.bincount(index[counted], weights=values[counted], minlength=len(names))
    return names, np.where(rows > 0, sums / np.maximum(rows, 1), np.nan)


def _count(flags: Bools) -> Ints:
    """Return how many flags are true in each row (R,)."""
    # Summing bytes avoids a wider copy of the flags.
    return np.asarray(np.add.reduce(flags.view(np.uint8), axis=1, dtype=np.int32), dtype=np.int64)


def _expected(gains: Floats, first: Array, last: Array) -> Floats:
    """Return the mean gain of places first + 1 .. last, where `gains[n]` sums places 1..n."""
    end = len(gains) - 1  # later places gain nothing
    gained: Floats = (gains[np.minimum(last, end)] - gains[np.minimum(first, end)]) / (last - first)
    return gained


def _discounts(k: int) -> Floats:
    """Return the sums of the NDCG gains of places 1..n for n = 0..k."""
    return np.append(0.0, np.cumsum(1 / np.log2(np.arange(2, k + 2))))


def _reciprocals(n: int) -> Floats:
    """Return the sums of 1 / place over places 1..m for m = 0..n."""
    return np.append(0.0, np.cumsum(1 / np.arange(1, n + 1)))


def _tie_groups(keys: Array) -> tuple[Array, Array]:
    """Return how many places precede each key's tie group and its end, for sorted keys (R, C)."""
    rows, width = keys.shape
    # True where a new group starts, and at both ends of the row.
    starts = np.ones((rows, width + 1), dtype=bool)
    starts[:, 1:-1] = keys[:, 1:] != keys[:, :-1]
    places = np.arange(width + 1)
    # The latest start up to each place, and the earliest start after it.
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=1)[:, :-1]
    last = np.minimum.accumulate(np.where(starts, places, width)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return first, last


def _first_hit(before: Array, size: Array, hits: Array) -> Floats:
    """Return the expected reciprocal place of the first positive in a tie group, each (R,).

    The group has `size` members, `hits` of them are positives, and `before` places are above it.
    """
    # Probability that the next place has no hit, given that j places of the group had none.
    tried = np.arange(size.max(initial=1))
    misses = np.maximum((size - hits)[:, None] - tried, 0) / np.maximum(size[:, None] - tried, 1)
    # Probability of no hit in the first j places; its decrease is that of the first hit at j + 1.
    still = np.cumprod(np.pad(misses, ((0, 0), (1, 0)), constant_values=1), axis=1)
    reached: Floats = ((still[:, :-1] - still[:, 1:]) / (before[:, None] + tried + 1)).sum(1)
    return reached


def _only(counted: Bools, found: dict[str, Floats]) -> dict[str, Floats]:
    """Return metrics with NaN in the rows that are not counted."""
    return {name: np.where(counted, value, np.nan) for name, value in found.items()}


def _cutoffs(ks: Sequence[int]) -> Sequence[int]:
    """Return the cut-offs, or raise `UsageError` for one below 1."""
    if wrong := [k for k in ks if k < 1]:
        raise UsageError(
            f"a cut-off of {wrong[0]} was asked; NDCG@k and Recall@k need k of 1 or more"
        )
    return ks
