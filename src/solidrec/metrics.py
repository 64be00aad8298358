"""Ranking metrics: one value a row first, averaged after; tied scores count by expectation.

A scorer that cannot tell two candidates apart is given neither the better nor the worse order, but the mean over all
orders of the tied ones. So a constant scorer reads as chance (of 100 candidates: UAUC .5, Recall@10 .10), whatever column
the target stands in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Array, Floats, Ints
from solidrec.errors import DivergedError, UsageError
from solidrec.registry import METRICS

Bools = npt.NDArray[np.bool_]

_STEEP = 80.0  # exp of more overflows float32; log(1 + exp(x)) is x long before


@final
@dataclass(frozen=True, eq=False)
class Ranks:
    """Where each row's one target stands; every metric of a leave-one-out row follows from it.

    `greater` (R,): candidates with a higher score. `ties` (R,): *other* candidates with the same score.
    `candidates` (R,): how many there are, the target included.
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

    `scores` (R, C); `target_column` one column for all rows or (R,); `mask` (R, C) is False where a column is no candidate
    (the target always is one). Raises `DivergedError` naming the first row with a score that is not finite.

    >>> found = ranks(np.array([[2.0, 3.0, 2.0, 1.0]]))
    >>> int(found.greater[0]), int(found.ties[0]), int(found.candidates[0])
    (1, 1, 4)
    """
    scores, candidate = _checked(scores, mask)
    target = finite(scores[np.arange(len(scores)), target_column][:, None])
    if mask is not None:
        scores = np.where(candidate, scores, -np.inf)
        np.put_along_axis(scores, np.broadcast_to(target_column, len(scores))[:, None], target, 1)
    return standing(scores, target_column)


def standing(scores: Array, target_column: int | Array = 0) -> Ranks:
    """Rank as `ranks` does, without its checks, where a score of -inf stands for what is no candidate.

    >>> found = standing(np.array([[2.0, -np.inf, 3.0]]))
    >>> int(found.greater[0]), int(found.ties[0]), int(found.candidates[0])
    (1, 0, 2)
    """
    target = scores[np.arange(len(scores)), target_column][:, None]
    equal = scores == target
    tied = np.count_nonzero(equal) > len(
        scores
    )  # few models tie two scores, and one number says so sooner than one a row
    ties = _count(equal) - 1 if tied else np.zeros(len(scores), dtype=np.int64)
    return Ranks(_count(scores > target), ties, _count(scores > -np.inf))


def per_row(ranks: Ranks, ks: Sequence[int] = (5, 10, 20)) -> dict[str, Floats]:
    """Return UAUC (the row's AUC), NDCG@k, Recall@k, MRR and the metrics of other packages of rows with one target, each (R,).

    A row whose target is the only candidate has nothing to rank: it is NaN in every metric (see `mean`).

    >>> constant = ranks(np.zeros((1, 100)))
    >>> {name: round(float(value[0]), 4) for name, value in per_row(constant, ks=(10,)).items()}
    {'UAUC': 0.5, 'NDCG@10': 0.0454, 'Recall@10': 0.1, 'MRR': 0.0519}
    """
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

    `scores`, `labels` and `mask` are (R, C). NDCG divides by the best order's; Recall divides by the number of positives (so
    it stays below 1 in a row with more than k of them); MRR is the reciprocal place of the first positive. A row without a
    positive or without a negative is NaN in every metric (see `mean`). Raises `DivergedError` as `ranks` does.
    """
    scores, candidate = _checked(scores, mask)
    positive = same_shape(scores, labels, "labels").astype(bool) & candidate
    # Ascending in the negated score is best first; what is no candidate goes last and ties with no finite score.
    keys = np.where(candidate, -scores, np.inf)
    order = np.argsort(keys, axis=1, kind="stable")
    rows, columns = np.nonzero(np.take_along_axis(positive, order, 1))
    first, last = (ends[rows, columns] for ends in _tie_groups(np.take_along_axis(keys, order, 1)))
    positives, count = positive.sum(1), candidate.sum(1)
    negatives = count - positives
    some = np.maximum(positives, 1)

    def total(each: Array) -> Array:  # summed over the positives of each row
        return np.bincount(rows, weights=each, minlength=len(scores))

    rank_sum = total(count[rows] + 1 - (first + last + 1) / 2)
    found = {
        "UAUC": (rank_sum - positives * (positives + 1) / 2) / (some * np.maximum(negatives, 1))
    }
    for k in _cutoffs(ks):
        discounts = _discounts(k)
        found[f"NDCG@{k}"] = (
            total(_expected(discounts, first, last)) / discounts[np.minimum(some, k)]
        )
    found |= {f"Recall@{k}": total(_expected(np.arange(k + 1.0), first, last)) / some for k in ks}
    found["MRR"] = np.ones(len(scores))
    led, leader = np.unique(rows, return_index=True)  # each row's best positive
    hits = total(first == first[leader][np.searchsorted(led, rows)])[led]
    found["MRR"][led] = _first_hit(first[leader], (last - first)[leader], hits)
    return _only((positives > 0) & (negatives > 0), found)


def mean(values: Array) -> tuple[float, int]:
    """Return the mean over the rows that count, and how many were skipped (NaN); of no row at all the mean is NaN.

    >>> mean(np.array([1.0, np.nan, 0.0]))
    (0.5, 1)
    """
    counted = values[~np.isnan(values)]
    return (float(counted.mean()) if counted.size else float("nan")), int(
        values.size - counted.size
    )


def by_user(values: Array, users: Array) -> tuple[Array, Floats]:
    """Average the rows of each user: `values` (R,) and `users` (R,) give sorted users (U,) and their means (U,).

    Skipped rows (NaN) take no part; a user with no other row is NaN.

    >>> [found.tolist() for found in by_user(np.array([1.0, 0.0, 1.0]), np.array([7, 7, 3]))]
    [[3, 7], [1.0, 0.5]]
    """
    names, index = np.unique(users, return_inverse=True)
    counted = ~np.isnan(values)
    rows = np.bincount(index[counted], minlength=len(names))
    sums = np.bincount(index[counted], weights=values[counted], minlength=len(names))
    return names, np.where(rows > 0, sums / np.maximum(rows, 1), np.nan)


def log_loss(logits: Array, labels: Array) -> Floats:
    """Return each row's mean binary cross-entropy (R,) from `logits` and `labels` (R, C), stable for logits of any size.

    >>> log_loss(np.array([[1000.0, -1000.0]]), np.array([[0, 0]])).tolist()
    [500.0]
    """
    logits, _ = _checked(logits, None)
    hits = (logits * same_shape(logits, labels, "labels")).sum(1)
    return np.asarray((_softplus(logits) - hits) / logits.shape[1], dtype=np.float64)


def target_loss(scores: Array, target_column: int | Array, candidates: Ints) -> Floats:
    """Return `log_loss` (R,) of rows with one positive, without its checks; -inf stands for what is none of the `candidates`.

    >>> target_loss(np.array([[0.0, 0.0, -np.inf]]), 0, np.array([2])).round(4).tolist()
    [0.6931]
    """
    target = scores[np.arange(len(scores)), target_column]
    return np.asarray((_softplus(scores) - target) / candidates, dtype=np.float64)


def _softplus(x: Array) -> Array:
    """Return the sum of log(1 + exp(x)) over each row, in the precision of `x` and stable for any size."""
    if x.max(initial=0) > _STEEP:
        return np.asarray(_softplus(np.minimum(x, _STEEP)) + np.maximum(x - _STEEP, 0).sum(1))
    grown = np.exp(x)
    return np.asarray(np.log1p(grown, out=grown).sum(1))


def _count(flags: Bools) -> Ints:
    """Return how many are true in each row (R,), a byte each until they are summed."""
    return np.asarray(np.add.reduce(flags.view(np.uint8), axis=1, dtype=np.int32), dtype=np.int64)


def _expected(gains: Floats, first: Array, last: Array) -> Floats:
    """Mean gain of a member of a tie group on places first + 1 .. last; `gains[n]` sums places 1..n, places beyond gain 0."""
    end = len(gains) - 1
    gained: Floats = (gains[np.minimum(last, end)] - gains[np.minimum(first, end)]) / (last - first)
    return gained


def _discounts(k: int) -> Floats:
    return np.append(0.0, np.cumsum(1 / np.log2(np.arange(2, k + 2))))


def _reciprocals(n: int) -> Floats:
    return np.append(0.0, np.cumsum(1 / np.arange(1, n + 1)))


def _tie_groups(keys: Array) -> tuple[Array, Array]:
    """For sorted keys (R, C): how many places come before each one's tie group, and before that group's end."""
    rows, width = keys.shape
    starts = np.ones((rows, width + 1), dtype=bool)
    starts[:, 1:-1] = keys[:, 1:] != keys[:, :-1]
    places = np.arange(width + 1)
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=1)[:, :-1]
    last = np.minimum.accumulate(np.where(starts, places, width)[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return first, last


def _first_hit(before: Array, size: Array, hits: Array) -> Floats:
    """Expected reciprocal place of the first of `hits` positives in a tie group of `size` with `before` places above it."""
    tried = np.arange(size.max(initial=1))
    misses = np.maximum((size - hits)[:, None] - tried, 0) / np.maximum(size[:, None] - tried, 1)
    still = np.cumprod(
        np.pad(misses, ((0, 0), (1, 0)), constant_values=1), axis=1
    )  # no hit in the first j places
    reached: Floats = ((still[:, :-1] - still[:, 1:]) / (before[:, None] + tried + 1)).sum(1)
    return reached


def _only(counted: Bools, found: dict[str, Floats]) -> dict[str, Floats]:
    return {name: np.where(counted, value, np.nan) for name, value in found.items()}


def _cutoffs(ks: Sequence[int]) -> Sequence[int]:
    if wrong := [k for k in ks if k < 1]:
        raise UsageError(
            f"a cut-off of {wrong[0]} was asked; NDCG@k and Recall@k need k of 1 or more"
        )
    return ks


def same_shape(scores: Array, other: Array, name: str) -> Array:
    """Return `other` as an array; raises `UsageError` unless its shape is that of `scores`."""
    other = np.asarray(other)
    if other.shape != scores.shape:
        raise UsageError(
            f"{name} of shape {other.shape} beside scores of shape {scores.shape}; give both the same shape"
        )
    return other


def _checked(scores: Array, mask: Array | None) -> tuple[Array, Bools]:
    """Return floating scores (R, C) and a mask of one's own; candidates must have finite scores."""
    scores = np.asarray(scores)
    if scores.ndim != 2:
        raise UsageError(
            f"scores of shape {scores.shape}; one row for each user and one column for each candidate are needed"
        )
    scores = floating(scores)
    candidate = (
        np.ones(scores.shape, dtype=bool)
        if mask is None
        else same_shape(scores, mask, "mask").astype(bool)
    )
    finite(scores, candidate)
    return scores, candidate


def floating(scores: Array) -> Array:
    """Return scores as they are if they are float32 or float64, else as float64."""
    return scores if scores.dtype in (np.float32, np.float64) else scores.astype(np.float64)


def finite(scores: Array, counted: Bools | None = None) -> Array:
    """Return `scores` if all of them (or all that are `counted`) are finite; else raise `DivergedError` naming the first row."""
    good = np.isfinite(scores) if counted is None else np.isfinite(scores) | ~counted
    if not good.all():
        place = tuple(np.argwhere(~good)[0])
        cure = "the model diverged: lower the learning rate or use an earlier checkpoint"
        raise DivergedError(f"row {place[0]}: a score is {scores[place]}; {cure}")
    return scores
