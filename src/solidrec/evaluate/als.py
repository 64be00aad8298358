"""ALS: matrix factorisation for clicks through the library `implicit` (extra ``als``)."""

from __future__ import annotations

from typing import Any, final

import numpy as np
from threadpoolctl import threadpool_limits

from solidrec.arrays import Array
from solidrec.semantics.modalities.needs import need

REQUIRES = ("als", "implicit")
"""Extra and module that `ALS` needs beyond the core."""
_ROWS = 4096  # histories whose candidates are scored at a time


@final
class ALS:
    """Weighted matrix factorisation by alternating least squares, with users folded in.

    Hu, Koren and Volinsky, ICDM 2008. An item that a user trained on r times has confidence 1 +
    `weight` r, every other one 1 (section 4). A user's factors are solved for from the given
    history, never looked up: x = (Y'Y + Y'(C - I)Y + `penalty` I)^-1 Y'C p (Eq. 4). An empty
    history and an item without training have zero factors and score 0.

    `users` and `events` (M,) are the training events, items in 1..`items`. Single-threaded, so one
    seed gives one result. The defaults did well on the validation users of three data sets
    (docs/log.md), the library's own penalty of .01 far worse. Raises `UsageError` without the extra
    ``als``.
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
            confidence = self._confidence(users, events, int(users.max(initial=0)) + 1)
            self.fitted.fit(confidence, show_progress=False)

    def score(self, histories: Array, candidates: Array) -> Array:
        """Score `candidates` (R or 1, C) for `histories` (R, L), both 0-padded; return (R, C)."""
        users, items = self.users(histories), self.fitted.item_factors
        if len(candidates) == 1:  # the same for all histories: one matrix product
            return np.asarray(users @ items[candidates[0]].T)
        parts = [
            np.einsum("rd,rcd->rc", users[i : i + _ROWS], items[candidates[i : i + _ROWS]])
            for i in range(0, len(users), _ROWS)
        ]
        return np.concatenate([np.zeros((0, candidates.shape[1]), dtype=np.float32), *parts])

    def users(self, histories: Array) -> Array:
        """Return the factors (R, K) of the users with `histories` (R, L), 0-padded."""
        rows, columns = np.nonzero(histories)
        confidence = self._confidence(rows, histories[rows, columns], len(histories))
        with threadpool_limits(1):
            return np.asarray(self.fitted.recalculate_user(np.arange(len(histories)), confidence))

    def _confidence(self, users: Array, items: Array, rows: int) -> Any:
        """Return the sparse confidence matrix (rows, V + 1), without the items of confidence 1."""
        from scipy.sparse import coo_array, csr_matrix

        ones = np.ones(len(users), dtype=np.float32)
        matrix = csr_matrix(coo_array((ones, (users, items)), shape=(rows, self.width)))
        matrix.data = 1 + self.weight * matrix.data  # repeats have been summed to r
        return matrix
