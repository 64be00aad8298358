"""Item-kNN and the Markov chain against dense matrices, naive loops and data with known answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solidrec.errors import UsageError
from solidrec.evaluate import item_knn
from solidrec.evaluate.baselines import popularity
from solidrec.evaluate.item_knn import ItemKNN, Markov, _last_items, train_pairs
from solidrec.metrics import mean, per_row, ranks

USERS, ITEMS = 40, 15


def train_counts(event_items: Any, offsets: Any, train_end: Any, *, items: int) -> Any:
    """How many training events each item has, (V + 1,)."""
    return np.bincount(train_pairs(event_items, offsets, train_end)[1], minlength=items + 1)


@pytest.fixture(scope="module")
def events():
    """Events (some repeated), offsets and train_end of users with 2 to 20 events, 2 held out."""
    rng = np.random.default_rng(0)
    lengths = np.append(0, rng.integers(2, 21, USERS))
    offsets = np.append(0, np.cumsum(lengths))
    train_end = offsets[1:] - 2
    train_end[0] = 0
    return (
        rng.integers(1, ITEMS, offsets[-1]).astype(np.int32),
        offsets,
        train_end,
    )  # nobody has item 15


def dense(events):
    """Cosine similarities (V + 1, V + 1) of the items' user vectors, by the definition."""
    items, offsets, train_end = events
    seen = np.zeros((USERS + 1, ITEMS + 1))
    for user in range(1, USERS + 1):
        seen[user, items[offsets[user] : train_end[user]]] = 1
    norms = np.maximum(np.linalg.norm(seen, axis=0), 1)
    similarity = seen.T @ seen / norms / norms[:, None]
    np.fill_diagonal(similarity, 0)
    return similarity


def requests(rows=30, length=10, candidates=7):
    rng = np.random.default_rng(1)
    return rng.integers(0, ITEMS + 1, (rows, length)), rng.integers(
        0, ITEMS + 1, (rows, candidates)
    )


def expected(similarity, histories, candidates):
    return np.array(
        [
            [similarity[h, c].sum() for c in row]
            for h, row in zip(histories, candidates, strict=True)
        ]
    )


def test_only_training_events_are_read(events):
    items, offsets, train_end = events
    users, bought = train_pairs(*events)
    loop = [
        (user, item)
        for user in range(1, USERS + 1)
        for item in items[offsets[user] : train_end[user]]
    ]
    assert list(zip(users.tolist(), bought.tolist(), strict=True)) == loop
    other = items.copy()
    for user in range(1, USERS + 1):
        other[train_end[user] : offsets[user + 1]] = ITEMS
    assert (
        train_counts(other, offsets, train_end, items=ITEMS).tolist()
        == train_counts(*events, items=ITEMS).tolist()
    )
    again = ItemKNN(other, offsets, train_end, items=ITEMS).score(*requests())
    assert again.tolist() == ItemKNN(*events, items=ITEMS).score(*requests()).tolist()


@pytest.mark.parametrize("pairs", [1, 50, item_knn._PAIRS])
def test_knn_is_the_dense_product_in_blocks_of_any_size(events, pairs, monkeypatch):
    monkeypatch.setattr(item_knn, "_PAIRS", pairs)
    found = ItemKNN(*events, items=ITEMS).score(*requests())
    assert found.shape == (30, 7)
    np.testing.assert_allclose(found, expected(dense(events), *requests()), rtol=1e-6)


@pytest.mark.parametrize("pairs", [1, item_knn._PAIRS])
def test_knn_keeps_the_nearest_neighbours_of_each_history_item(events, pairs, monkeypatch):
    monkeypatch.setattr(item_knn, "_PAIRS", pairs)
    similarity = dense(events)
    order = np.argsort(-similarity.round(12), axis=1, kind="stable")  # of equals the smaller id
    kept = np.zeros_like(similarity)
    np.put_along_axis(kept, order[:, :4], np.take_along_axis(similarity, order[:, :4], 1), 1)
    found = ItemKNN(*events, items=ITEMS, neighbours=4).score(*requests())
    np.testing.assert_allclose(found, expected(kept, *requests()), rtol=1e-6)
    assert not np.allclose(found, expected(similarity, *requests()))


def test_a_large_catalogue_keeps_fewer_by_default(events, monkeypatch):
    monkeypatch.setattr(item_knn, "_KEEP_ALL", ITEMS - 1)
    monkeypatch.setattr(item_knn, "_KEEP", 4)
    found = ItemKNN(*events, items=ITEMS).score(*requests())
    assert found.tolist() == ItemKNN(*events, items=ITEMS, neighbours=4).score(*requests()).tolist()


def test_padding_the_unseen_and_the_empty_history_score_zero(events):
    knn = ItemKNN(*events, items=ITEMS)
    assert knn.score(np.array([[0, 0], [0, ITEMS]]), np.array([[1, 2], [1, 2]])).tolist() == [
        [0, 0],
        [0, 0],
    ]
    assert knn.score(np.array([[1, 2]]), np.array([[0, ITEMS]])).tolist() == [[0, 0]]
    assert knn.score(np.zeros((1, 0), dtype=np.int64), np.array([[1]])).tolist() == [[0]]
    assert knn.score(np.zeros((0, 3), dtype=np.int64), np.zeros((0, 9), dtype=np.int64)).shape == (
        0,
        9,
    )


def test_nobody_trained_scores_zero():
    empty = np.array([], dtype=np.int32), np.array([0, 0]), np.array([0])
    assert ItemKNN(*empty, items=3).score(np.array([[1, 2]]), np.array([[3, 1]])).tolist() == [
        [0, 0]
    ]
    assert train_counts(*empty, items=3).tolist() == [0, 0, 0, 0]


def test_one_row_of_candidates_serves_every_history(events):
    histories, candidates = requests()
    for baseline in (ItemKNN(*events, items=ITEMS), Markov(*events, items=ITEMS)):
        wide = np.broadcast_to(candidates[:1], candidates.shape)
        assert (
            baseline.score(histories, candidates[:1]).tolist()
            == baseline.score(histories, wide).tolist()
        )


@pytest.mark.parametrize("pairs", [1, item_knn._PAIRS])
def test_markov_counts_what_follows_the_last_item(events, pairs, monkeypatch):
    monkeypatch.setattr(item_knn, "_PAIRS", pairs)
    items, offsets, train_end = events
    counts = np.zeros((ITEMS + 1, ITEMS + 1))
    for user in range(1, USERS + 1):
        for place in range(offsets[user] + 1, train_end[user]):
            counts[items[place - 1], items[place]] += 1
    histories, candidates = requests()
    last = [([item for item in history if item] or [0])[-1] for history in histories.tolist()]
    assert _last_items(histories).tolist() == last
    chain = Markov(*events, items=ITEMS)
    assert (
        chain.score(histories, candidates).tolist()
        == counts[np.array(last)[:, None], candidates].tolist()
    )
    assert counts.sum() > USERS
    assert counts.max() > 1


def test_markov_reads_only_the_last_item_and_training_events(events):
    items, offsets, train_end = events
    histories, candidates = requests()
    score = Markov(*events, items=ITEMS).score
    assert (
        score(histories, candidates).tolist()
        == score(_last_items(histories)[:, None], candidates).tolist()
    )
    other = items.copy()
    for user in range(1, USERS + 1):
        other[train_end[user] : offsets[user + 1]] = ITEMS
    assert (
        Markov(other, offsets, train_end, items=ITEMS).score(histories, candidates).tolist()
        == score(histories, candidates).tolist()
    )


def test_markov_scores_zero_where_it_knows_nothing(events):
    chain = Markov(*events, items=ITEMS)
    assert chain.score(np.array([[0, 0], [1, ITEMS]]), np.array([[1, 2, 0]])).tolist() == [
        [0, 0, 0],
        [0, 0, 0],
    ]
    assert chain.score(np.zeros((1, 0), dtype=np.int64), np.array([[1]])).tolist() == [[0]]
    assert chain.score(
        np.zeros((0, 3), dtype=np.int64), np.zeros((1, 9), dtype=np.int64)
    ).shape == (0, 9)
    empty = np.array([], dtype=np.int32), np.array([0, 0]), np.array([0])
    assert Markov(*empty, items=3).score(np.array([[1, 2]]), np.array([[3, 1]])).tolist() == [
        [0, 0]
    ]


def test_no_neighbours_at_all_is_refused(events):
    with pytest.raises(UsageError, match="neighbours = 0"):
        ItemKNN(*events, items=ITEMS, neighbours=0)


def test_knn_finds_taste_where_popularity_cannot():
    # Four tastes of 10 equally popular items; the target is of the user's taste, the 9 others not.
    rng = np.random.default_rng(2)
    taste = np.append(0, np.arange(200) % 4)
    items = np.concatenate(
        [rng.permutation(10)[:7] + 10 * taste[user] + 1 for user in range(1, 201)]
    )
    offsets, train_end = np.append(0, np.arange(201) * 7), np.append(0, np.arange(1, 201) * 7 - 1)
    histories = np.array([items[offsets[u] : train_end[u]] for u in range(1, 201)])
    others = (taste[1:, None] * 10 + 10 + rng.integers(0, 30, (200, 9))) % 40 + 1
    candidates = np.hstack([items[train_end[1:]][:, None], others])

    def recall(scores):
        return mean(per_row(ranks(scores), (1,))["Recall@1"])[0]

    assert recall(ItemKNN(items, offsets, train_end, items=40).score(histories, candidates)) == 1
    assert recall(popularity(train_counts(items, offsets, train_end, items=40), candidates)) < 0.3
