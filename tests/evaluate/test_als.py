"""ALS against its closed form: the factors of an unseen user, the fixed point of item factors."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from solidrec.errors import UsageError
from solidrec.evaluate import als
from solidrec.evaluate.als import ALS

ITEMS, FACTORS, WEIGHT, PENALTY = 12, 5, 3.0, 0.7
HISTORIES = np.array(
    [[1, 2, 2, 7], [9, 0, 0, 0], [0, 0, 0, 0], [12, 1, 0, 0]]
)  # item 12 was never trained on


def fitted(seed: int = 0, iterations: int = 15) -> ALS:
    rng = np.random.default_rng(3)
    users, events = rng.integers(1, 31, 200), rng.integers(1, ITEMS, 200)  # repeats among them
    return ALS(
        users,
        events,
        items=ITEMS,
        factors=FACTORS,
        weight=WEIGHT,
        penalty=PENALTY,
        iterations=iterations,
        seed=seed,
    )


def naive(items, history):
    """Eq. 4 of Hu et al. with confidence 1 + weight * count, in float64."""
    counts = np.bincount(history[history > 0], minlength=ITEMS + 1)
    confidence, liked = 1 + WEIGHT * counts, counts > 0
    left = items.T @ (confidence[:, None] * items) + PENALTY * np.eye(FACTORS)
    return np.linalg.solve(left, items.T @ (confidence * liked))


def test_a_history_is_folded_in_by_the_closed_form():
    found = fitted()
    items = found.fitted.item_factors.astype(np.float64)
    expected = np.array([naive(items, history) for history in HISTORIES])
    np.testing.assert_allclose(found.users(HISTORIES), expected, rtol=1e-4, atol=1e-6)
    candidates = np.array([[1, 5, 12], [2, 3, 0], [1, 2, 3], [4, 12, 9]])
    scores = np.einsum("rd,rcd->rc", expected, items[candidates])
    np.testing.assert_allclose(found.score(HISTORIES, candidates), scores, rtol=1e-4, atol=1e-6)
    one = np.arange(1, ITEMS + 1)[None]
    np.testing.assert_allclose(
        found.score(HISTORIES, one), expected @ items[1:].T, rtol=1e-4, atol=1e-6
    )
    assert np.abs(expected[0]).max() > 0.1


def test_the_items_solve_their_own_equation():
    """With the users' factors fixed, nothing that an item's factors could be has a smaller loss."""
    rng = np.random.default_rng(3)
    users, events = rng.integers(1, 31, 200), rng.integers(1, ITEMS, 200)
    counts = np.zeros((31, ITEMS + 1))
    np.add.at(counts, (users, events), 1)
    found = fitted(iterations=300).fitted
    x = found.user_factors.astype(np.float64)
    for item in range(1, ITEMS):
        confidence = 1 + WEIGHT * counts[:, item]
        left = x.T @ (confidence[:, None] * x) + PENALTY * np.eye(FACTORS)
        expected = np.linalg.solve(left, x.T @ (confidence * (counts[:, item] > 0)))
        np.testing.assert_allclose(found.item_factors[item], expected, rtol=0.01, atol=1e-3)


def test_blocks_of_any_size_score_alike(monkeypatch):
    found, candidates = fitted(), np.tile(np.arange(1, 5), (4, 1))
    whole = found.score(HISTORIES, candidates)
    monkeypatch.setattr(als, "_ROWS", 3)
    assert found.score(HISTORIES, candidates).tolist() == whole.tolist()


def test_nothing_known_scores_zero():
    scores = fitted().score(HISTORIES, np.arange(1, ITEMS + 1)[None])
    assert scores[2].tolist() == [0] * ITEMS
    assert scores[:, ITEMS - 1].tolist() == [0] * 4
    assert fitted().score(HISTORIES[:0], np.zeros((0, 9), dtype=np.int64)).shape == (0, 9)


def test_one_seed_one_answer():
    candidates = np.arange(1, ITEMS + 1)[None]
    first = fitted().score(HISTORIES, candidates)
    assert first.tolist() == fitted().score(HISTORIES, candidates).tolist()
    assert first.tolist() != fitted(seed=1).score(HISTORIES, candidates).tolist()


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit", None)
    with pytest.raises(UsageError, match=r"pip install 'solidrec\[als\]'"):
        fitted()
