"""SLIM (Ning and Karypis, Sparse Linear Methods for Top-N Recommender Systems, ICDM 2011)."""

from __future__ import annotations

import warnings
from typing import Any, final

import numpy as np

from solidrec.arrays import Array
from solidrec.evaluate.ease import incidence
from solidrec.evaluate.item_knn import ItemToItem

_NEIGHBOURS = 100
"""Items of the largest cosine, which alone may predict an item (fsSLIM, section 4.4)."""
_ROUNDS = 1_000
"""Most rounds of coordinate descent; most items need a tenth of them."""
_TOLERANCE = 1e-4
"""Duality gap at which the descent ends, as a share of the target's square."""


@final
class SLIM:
    """Sparse, non-negative item-to-item model, learned by an elastic net (Eq. 4).

    For each item j: min over w >= 0, w_j = 0, of |x_j - X w|^2 / 2 + `penalty` (`l1` |w|_1 +
    (1 - `l1`) |w|_2^2 / 2), where w is zero outside the 100 nearest items. X (U, V) has a 1 for
    each item that a user had.

    `users` and `events` (M,) are the training events, items in 1..`items`.
    """

    def __init__(
        self, users: Array, events: Array, *, items: int, penalty: float = 5.0, l1: float = 0.1
    ) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import ElasticNet

        x = incidence(users, events, items=items)
        gram = (x.T @ x).tocsr()
        columns = x.astype(np.float64).tocsc()
        counts = np.maximum(gram.diagonal(), 1.0)
        net = ElasticNet(
            alpha=penalty / x.shape[0],  # scikit-learn divides the squared error by the rows
            l1_ratio=l1,
            positive=True,
            fit_intercept=False,
            max_iter=_ROUNDS,
            tol=_TOLERANCE,
            selection="cyclic",
        )
        spoken: list[Array] = [np.zeros(0, dtype=np.int64)]
        speaking: list[Array] = [np.zeros(0, dtype=np.int64)]
        values: list[Array] = [np.zeros(0)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            for item in range(items):
                near = _nearest(gram, counts, item)
                if not len(near):
                    continue
                target = columns[:, [item]].toarray()[:, 0]
                weights = net.fit(columns[:, near], target).coef_
                kept = weights > 0
                spoken.append(np.full(int(kept.sum()), item + 1))
                speaking.append(near[kept] + 1)
                values.append(weights[kept])
        rows, into, weight = (np.concatenate(each) for each in (speaking, spoken, values))
        order = np.lexsort((into, rows))
        self.weights = ItemToItem.of(rows[order], into[order], weight[order], items=items)

    def score(self, histories: Array, candidates: Array) -> Array:
        """Score `candidates` (R or 1, C) for `histories` (R, L), 0-padded; repeats count once."""
        return self.weights.summed(_once(histories), candidates)


def _nearest(gram: Any, counts: Array, item: int) -> Array:
    """Return the other items of the largest cosine with `item`; ties go to the smaller id."""
    start, end = gram.indptr[item], gram.indptr[item + 1]
    others, shared = gram.indices[start:end], gram.data[start:end]
    keep = (others != item) & (shared > 0)
    others, shared = others[keep], shared[keep]
    # the item's own count scales all cosines alike, so it can be left out
    order = np.lexsort((others, -shared / np.sqrt(counts[others])))
    return np.asarray(np.sort(others[order[:_NEIGHBOURS]]))


def _once(histories: Array) -> Array:
    """Return histories, sorted, in which each repeat of an item is padding.

    >>> _once(np.array([[4, 7, 4, 0]])).tolist()
    [[0, 0, 4, 7]]
    """
    ordered = np.sort(histories, axis=1)
    again = np.zeros(ordered.shape, dtype=bool)
    again[:, :-1] = ordered[:, 1:] == ordered[:, :-1]
    return np.where(again, 0, ordered)
