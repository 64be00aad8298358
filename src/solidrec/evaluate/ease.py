"""EASE (Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019)."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from solidrec.arrays import Array
from solidrec.errors import UsageError
from solidrec.inference.scorer import slices

_MOST = 20_000
"""Most items: their matrix is dense, and inverting it needs some 5 GB at this size."""
_CELLS = 1 << 24
"""Scores at a time."""


@final
class EASE:
    """Linear item-to-item model in closed form, in which no item predicts itself (Eq. 8).

    With X (U, V) of zeros and ones, P = (X'X + `penalty` I)^-1 and B = I - P / diag(P): a candidate
    scores the sum of its column of B over the history's items, each counted once. The inverse takes
    time in V^3 and memory in V^2.

    `users` and `events` (M,) are the training events, items in 1..`items`. Raises `UsageError`
    beyond 20,000 items and for a penalty that is not positive.

    >>> # two items that are always together speak for each other
    >>> ease = EASE(np.array([1, 1, 2, 2]), np.array([1, 2, 1, 2]), items=3, penalty=1.0)
    >>> print(ease.score(np.array([[1, 0]]), np.array([[2, 3, 0]])).round(3))
    [[0.667 0.    0.   ]]
    """

    def __init__(self, users: Array, events: Array, *, items: int, penalty: float = 200.0) -> None:
        from scipy.linalg import inv

        if items > _MOST:
            raise UsageError(
                f"EASE is for up to {_MOST:,} items, and there are {items:,}; leave it out"
            )
        if penalty <= 0:
            raise UsageError(
                f"penalty = {penalty}; EASE needs a positive one, else there is no inverse"
            )
        x = incidence(users, events, items=items)
        gram = (x.T @ x).toarray()
        gram[np.diag_indices_from(gram)] += penalty  # X'X + penalty I
        inverse = inv(gram, overwrite_a=True, check_finite=False)
        inverse /= -np.diag(inverse).copy()  # column j by -P_jj: the entries of B off its diagonal
        np.fill_diagonal(inverse, 0.0)
        self.weights = np.pad(inverse.astype(np.float32), ((1, 0), (1, 0)))  # item 0 is padding

    def score(self, histories: Array, candidates: Array) -> Array:
        """Score `candidates` (R or 1, C) for `histories` (R, L), both 0-padded; return (R, C)."""
        width = len(self.weights)
        parts = [np.zeros((0, candidates.shape[1]), dtype=np.float32)]
        for some in slices(len(histories), max(1, _CELLS // width)):
            part = histories[some]
            rows, places = np.nonzero(part)
            x = incidence(rows, part[rows, places], items=width - 1, rows=len(part))
            scores = x @ self.weights[1:]  # (r, V + 1)
            own = candidates if len(candidates) == 1 else candidates[some]
            parts.append(scores[:, own[0]] if len(own) == 1 else np.take_along_axis(scores, own, 1))
        return np.concatenate(parts)


def incidence(users: Array, events: Array, *, items: int, rows: int | None = None) -> Any:
    """Return the sparse matrix (users, V) with a 1 where a user had an item of 1..`items`."""
    from scipy.sparse import coo_array, csr_array

    shape = (int(users.max(initial=0)) + 1 if rows is None else rows, items)
    places = users.astype(np.int32), events.astype(np.int32) - 1
    found = csr_array(coo_array((np.ones(len(users), dtype=np.float32), places), shape=shape))
    found.sum_duplicates()
    found.data[:] = 1  # repeats count once
    return found
