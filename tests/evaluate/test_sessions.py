"""V-SKNN against a naive loop over users, with every tie, cut and repeat."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.errors import UsageError
from solidrec.evaluate import item_knn, sessions
from solidrec.evaluate.sessions import SessionKNN

USERS, ITEMS = 25, 12


def log() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Items, offsets, train_end and times; user 3 has no training event."""
    rng = np.random.default_rng(0)
    lengths = np.append(0, rng.integers(2, 9, USERS))
    offsets = np.append(0, np.cumsum(lengths))
    train_end = offsets[1:] - 1
    train_end[0], train_end[3] = 0, offsets[3]
    return rng.integers(1, ITEMS, offsets[-1]), offsets, train_end, rng.permutation(offsets[-1])


def naive(history: list[int], *, neighbours: int, sample: int) -> np.ndarray:
    items, offsets, train_end, times = log()
    shown = [item for item in history if item]
    place = {item: at for at, item in enumerate(shown)}  # the newest of repeats
    found = []
    for user in range(1, USERS + 1):
        own = set(items[offsets[user] : train_end[user]].tolist())
        shared = [at for item, at in place.items() if item in own]
        if shared:
            similar = sum(at + 1 for at in shared)
            weight = similar / len(shown) / (len(shown) - max(shared))
            found.append((user, times[train_end[user] - 1], similar, weight, own))
    latest = sorted(found, key=lambda each: -each[1])[:sample]
    best = sorted(sorted(latest, key=lambda each: each[0]), key=lambda each: -each[2])[:neighbours]
    scores = np.zeros(ITEMS + 1)
    for _, _, _, weight, own in best:
        for item in own:
            scores[item] += weight
    return scores


@pytest.mark.parametrize(("neighbours", "sample"), [(100, 1000), (4, 1000), (4, 6), (1, 1)])
@pytest.mark.parametrize("cells", [1, sessions._CELLS])
def test_equals_the_loop(
    neighbours: int, sample: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_CELLS", cells)
    monkeypatch.setattr(item_knn, "_PAIRS", cells)
    items, offsets, train_end, times = log()
    found = SessionKNN(
        items, offsets, train_end, times=times, items=ITEMS, neighbours=neighbours, sample=sample
    )
    histories = np.random.default_rng(1).integers(0, ITEMS + 1, (30, 5))
    histories = np.array([sorted(row, key=lambda item: item == 0) for row in histories.tolist()])
    histories[0], histories[1] = 0, [3, 5, 3, 0, 0]
    expected = np.array(
        [naive(row, neighbours=neighbours, sample=sample) for row in histories.tolist()]
    )
    np.testing.assert_allclose(
        found.score(histories, np.arange(ITEMS + 1)[None]), expected, atol=1e-12
    )
    own = np.random.default_rng(2).integers(0, ITEMS + 1, (30, 4))
    np.testing.assert_allclose(
        found.score(histories, own), np.take_along_axis(expected, own, 1), atol=1e-12
    )
    assert expected.any()


def test_padding_may_stand_anywhere_and_counts_must_be_positive() -> None:
    items, offsets, train_end, times = log()
    found = SessionKNN(items, offsets, train_end, times=times, items=ITEMS)
    catalogue = np.arange(ITEMS + 1)[None]
    left, right = (
        found.score(np.array([[0, 0, 3, 5]]), catalogue),
        found.score(np.array([[3, 5, 0, 0]]), catalogue),
    )
    np.testing.assert_allclose(left, right)
    with pytest.raises(UsageError, match="neighbours = 0"):
        SessionKNN(items, offsets, train_end, times=times, items=ITEMS, neighbours=0)


def test_who_has_no_training_event_is_nobodys_neighbour() -> None:
    items, offsets, train_end, times = log()
    found = SessionKNN(items, offsets, train_end, times=times, items=ITEMS)
    _, user, _ = found.nearest(np.arange(1, ITEMS)[None])
    assert 3 not in user
    assert set(user) == set(range(1, USERS + 1)) - {3}
