"""Matrix factorisation for clicks by alternating least squares, through the library `implicit` (extra ``als``)."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from threadpoolctl import threadpool_limits

from solidrec.arrays import Array
from solidrec.semantics.modalities.needs import need

REQUIRES = ("als", "implicit")
"""The extra and the module that it needs beyond the core."""
_ROWS = 4096  # users whose factors are solved for together


@final
class ALS:
    """Weighted matrix factorisation of users x items (Hu, Koren and Volinsky, ICDM 2008), its users folded in from histories.

    An item that a user trained on r times has confidence 1 + `weight` r, every other one 1 (their section 4). A user's factors
    are solved for from the history given, never looked up: x = (Y'Y + Y'(C - I)Y + `penalty` I)^-1 Y'C p of their Eq. 4, so any
    history has an answer. An empty one has factors 0, and so has an item without training: both score 0.

    `users` and `events` (M,) are the training events, items in 1..`items`. Single-threaded: one seed, one answer. The defaults
    did well on the validation users of three data sets (docs/log.md); with the library's own penalty of .01 it does far worse.
    Raises `UsageError` without the extra ``als``.
    """

    def __init__(
        self,
        users: Array,
        events: Array,
        *,
        items: int,
        factors: int = 64,
        weight: float = 40.0,
        penalty: float = 100.0,
        iterations: int = 15,
        seed: int = 0,
    ) -> None:
        need(*REQUIRES)
        from implicit.cpu.als import AlternatingLeastSquares

        self.weight, self.width = weight, items + 1
        with threadpool_limits(1):
            self.fitted = AlternatingLeastSquares(
                factors=factors,
                regularization=penalty,
                iterations=iterations,
                num_threads=1,
                random_state=seed,
            )
            self.fitted.fit(
                self._confidence(users, events, int(users.max(initial=0)) + 1), show_progress=False
            )

    def score(self, histories: Array, candidates: Array) -> Array:
        """Score `candidates` (R or 1, C) for `histories` (R, L), both with 0 for padding; returns (R, C)."""
        users, items = self.users(histories), self.fitted.item_factors
        if len(candidates) == 1:
            return np.asarray(users @ items[candidates[0]].T)
        parts = [
            np.einsum("rd,rcd->rc", users[i : i + _ROWS], items[candidates[i : i + _ROWS]])
            for i in range(0, len(users), _ROWS)
        ]
        return np.concatenate([np.zeros((0, candidates.shape[1]), dtype=np.float32), *parts])

    def users(self, histories: Array) -> Array:
        """Return the factors (R, K) of `histories` (R, L), 0 for padding."""
        rows, columns = np.nonzero(histories)
        confidence = self._confidence(rows, histories[rows, columns], len(histories))
        with threadpool_limits(1):
            return np.asarray(self.fitted.recalculate_user(np.arange(len(histories)), confidence))

    def _confidence(self, users: Array, items: Array, rows: int) -> Any:
        """Return the confidence of each user's items (rows, V + 1), those of the others left out."""
        from scipy.sparse import coo_array, csr_matrix

        matrix = csr_matrix(
            coo_array(
                (np.ones(len(users), dtype=np.float32), (users, items)), shape=(rows, self.width)
            )
        )
        matrix.data = 1 + self.weight * matrix.data
        return matrix
