"""SLIM against the optimality conditions of its own problem, without another implementation."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.evaluate import slim
from solidrec.evaluate.slim import SLIM, _once

USERS, ITEMS = 40, 8


def events() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(1, USERS + 1, 200), rng.integers(1, ITEMS, 200)  # nobody has item 8


def interactions() -> np.ndarray:
    users, items = events()
    x = np.zeros((USERS + 1, ITEMS))
    x[users, items - 1] = 1
    return x


def weights(found: SLIM) -> np.ndarray:
    """The matrix of a fitted model: items of the history in rows, supported items in columns."""
    catalogue = np.arange(1, ITEMS + 1)
    return found.score(catalogue[:, None], catalogue[None])


@pytest.mark.parametrize(("penalty", "l1"), [(0.04, 0.1), (0.8, 0.5)])
def test_no_weight_can_be_moved_for_the_better(
    penalty: float, l1: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where w > 0 the loss has slope 0, where w = 0 it rises (Karush, Kuhn and Tucker)."""
    monkeypatch.setattr(slim, "_ROUNDS", 100_000)
    monkeypatch.setattr(slim, "_TOLERANCE", 1e-12)
    x, w = interactions(), weights(SLIM(*events(), items=ITEMS, penalty=penalty, l1=l1))
    slope = -x.T @ (x - x @ w) + penalty * (l1 + (1 - l1) * w)
    off = ~np.eye(ITEMS, dtype=bool)
    some = x.any(0)
    assert (w >= 0).all()
    assert not w[~off].any()
    assert (w[off] > 0).sum() > 5
    assert np.abs(slope[(w > 0) & off]).max() < 1e-4
    assert slope[(w == 0) & off & some[:, None] & some].min() > -1e-4


def test_only_the_nearest_may_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slim, "_NEIGHBOURS", 2)
    x = interactions()
    cosine = x.T @ x / np.maximum(np.sqrt(np.outer(x.sum(0), x.sum(0))), 1)
    np.fill_diagonal(cosine, -1)
    w = weights(SLIM(*events(), items=ITEMS, penalty=4e-4))
    for item in range(ITEMS - 1):
        assert set(np.flatnonzero(w[:, item])) <= set(
            np.argsort(-cosine[:, item], kind="stable")[:2]
        )
    assert not w[:, ITEMS - 1].any()


def test_an_item_that_repeats_counts_once() -> None:
    found = SLIM(*events(), items=ITEMS, penalty=4e-4)
    catalogue = np.arange(1, ITEMS + 1)[None]
    np.testing.assert_allclose(
        found.score(np.array([[3, 3, 5]]), catalogue), found.score(np.array([[5, 3]]), catalogue)
    )
    assert _once(np.array([[0, 0], [2, 2]])).tolist() == [[0, 0], [0, 2]]
