"""EASE against its definition: the best linear model of the interactions whose diagonal is zero."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.errors import UsageError
from solidrec.evaluate import ease
from solidrec.evaluate.ease import EASE, incidence

USERS, ITEMS, PENALTY = 30, 9, 3.0
HISTORIES = np.array([[1, 2, 2, 7], [8, 0, 0, 0], [0, 0, 0, 0]])


def events() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(1, USERS + 1, 150), rng.integers(
        1, ITEMS, 150
    )  # repeats among them; nobody has item 9


def interactions() -> np.ndarray:
    users, items = events()
    x = np.zeros((USERS + 1, ITEMS))
    x[users, items - 1] = 1
    return x


def test_each_column_is_a_ridge_regression_on_the_other_items() -> None:
    """With b_jj = 0 the loss splits by column: item j from all others (its section 3.1)."""
    x = interactions()
    found = EASE(*events(), items=ITEMS, penalty=PENALTY).weights[1:, 1:]
    for item in range(ITEMS):
        others = np.arange(ITEMS) != item
        left = x[:, others].T @ x[:, others] + PENALTY * np.eye(ITEMS - 1)
        np.testing.assert_allclose(
            found[others, item], np.linalg.solve(left, x[:, others].T @ x[:, item]), atol=1e-6
        )
        assert found[item, item] == 0


def test_a_history_adds_up_each_of_its_items_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = EASE(*events(), items=ITEMS, penalty=PENALTY)
    weights = found.weights
    expected = np.array([weights[[1, 2, 7]].sum(0), weights[8], np.zeros(ITEMS + 1)])
    catalogue = np.arange(1, ITEMS + 1)[None]
    np.testing.assert_allclose(found.score(HISTORIES, catalogue), expected[:, 1:], atol=1e-6)
    own = np.array([[1, 2, 0], [3, 9, 4], [5, 6, 7]])
    np.testing.assert_allclose(
        found.score(HISTORIES, own), np.take_along_axis(expected, own, 1), atol=1e-6
    )
    monkeypatch.setattr(ease, "_CELLS", 1)  # a row at a time
    np.testing.assert_allclose(found.score(HISTORIES, catalogue), expected[:, 1:], atol=1e-6)
    assert found.score(HISTORIES[:0], np.zeros((0, 4), dtype=np.int64)).shape == (0, 4)


def test_too_many_items_for_a_dense_matrix_are_refused() -> None:
    with pytest.raises(UsageError, match="20,000"):
        EASE(*events(), items=20_001)
    with pytest.raises(UsageError, match="penalty = 0"):
        EASE(*events(), items=ITEMS, penalty=0)


def test_incidence_counts_once() -> None:
    assert incidence(np.array([0, 0, 1]), np.array([2, 2, 1]), items=3).toarray().tolist() == [
        [0, 1, 0],
        [1, 0, 0],
    ]
