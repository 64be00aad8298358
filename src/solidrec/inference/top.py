"""Select the best few of many scores, exactly and without sorting the rest."""

from __future__ import annotations

import numpy as np

from solidrec.arrays import Array

_GROUP = 16  # columns of which only the largest score is looked at for a bound


def top(scores: Array, k: int) -> tuple[Array, Array]:
    """Return rows and columns (n,) of the `k` best scores of each row, best first, ties by column.

    `scores` is (R, C). -inf is never among the best, so a row may have fewer than `k`.

    >>> rows, columns = top(np.array([[1.0, 3.0, 3.0, 2.0], [5.0, -np.inf, -np.inf, -np.inf]]), 2)
    >>> rows.tolist(), columns.tolist()
    ([0, 0, 1], [1, 2, 0])
    """
    rows, columns = best(scores, k, order=None)
    ranked = np.lexsort((columns, -scores[rows, columns], rows))
    return rows[ranked], columns[ranked]


def best(scores: Array, k: int, *, order: Array | None) -> tuple[Array, Array]:
    """Return the rows and columns that `top` returns, in no particular order.

    Ties go to the smaller entry of `order` (R or 1, C), by default to the smaller column.
    """
    width = max(scores.shape[1], 1)
    k = min(k, width)  # `k` may be any number, and memory is allocated for it
    # scores that reach the bound of their row; flat places are several times faster than pairs
    places = np.flatnonzero(scores >= _bound(scores, k)[:, None])
    values = scores.reshape(-1)[places]
    rows = places // width
    # keep those that reach the k-th place
    reached = (values >= _kth(rows, values, k=k, count=len(scores))[rows]) & (values > -np.inf)
    rows, columns, values = rows[reached], places[reached] % width, values[reached]
    # rows with a tie for the k-th place have too many; sort these alone and keep their first k
    surplus = (np.bincount(rows, minlength=len(scores)) > k)[rows]
    if not surplus.any():
        return rows, columns
    tied, ties = np.flatnonzero(surplus), columns
    if order is not None:
        ties = np.broadcast_to(order, scores.shape)[rows, columns]
    ranked = tied[np.lexsort((ties[tied], -values[tied], rows[tied]))]
    kept = ~surplus
    kept[ranked[_place_in_row(rows[ranked]) < k]] = True
    return rows[kept], columns[kept]


def _bound(scores: Array, k: int) -> Array:
    """Return a value for each row (R,) that at least `k` of its scores reach, and not many more.

    It is the k-th largest of the maxima of disjoint groups of columns, since k groups have a member
    that reaches it. This takes one pass.
    """
    rows, width = scores.shape
    if k >= width:
        return np.full(rows, -np.inf, dtype=scores.dtype)
    groups = width // _GROUP
    if groups > k:
        scores = scores[:, : groups * _GROUP].reshape(rows, _GROUP, groups).max(1)
    return np.asarray(np.partition(scores, scores.shape[1] - k, axis=1)[:, -k])


def _kth(rows: Array, values: Array, *, k: int, count: int) -> Array:
    """Return the k-th largest of each row's `values` (n,), (count,); `rows` (n,) is sorted.

    It is -inf for a row with fewer than k, and for all rows if each has exactly k, to keep all.
    """
    sizes = np.bincount(rows, minlength=count)
    if sizes.max(initial=0) == k == sizes.min(initial=k):
        return np.full(count, -np.inf)
    # one padded line for each row
    table = np.full((count, max(k, sizes.max(initial=0))), -np.inf, dtype=values.dtype)
    table[rows, _place_in_row(rows)] = values
    return np.asarray(np.partition(table, table.shape[1] - k, axis=1)[:, -k])


def _place_in_row(rows: Array) -> Array:
    """Return how many entries of the same row come before each entry of sorted `rows` (n,).

    >>> _place_in_row(np.array([0, 0, 3, 3, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    sizes = np.bincount(rows)
    return np.asarray(np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes))
