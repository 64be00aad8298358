"""What every baseline keeps, and the two kinds of popularity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.baselines import BASELINES, _recent_counts, popularity
from solidrec.evaluate.runner import _PROTOCOLS, Protocol, evaluate


def test_popularity_counts_training_events(data: PreparedData) -> None:
    trained = np.concatenate(
        [
            data.event_items[data.offsets[user] : data.train_end[user]]
            for user in range(1, len(data.users) + 1)
        ]
    )
    counts = data.train_counts
    assert counts.tolist() == [int((trained == item).sum()) for item in range(len(data.items) + 1)]
    assert popularity(counts, np.array([[3, 0], [5, 3]])).tolist() == [
        [counts[3], 0],
        [counts[5], counts[3]],
    ]


def test_without_common_times_all_of_training_is_recent(data: PreparedData) -> None:
    ordered = replace(data, manifest={**data.manifest, "order": "position"})
    assert _recent_counts(ordered, 0.1).tolist() == data.train_counts.tolist()


@pytest.mark.parametrize("share", [0.05, 0.5, 1.0])
def test_recent_popularity_counts_the_latest_training_events(
    data: PreparedData, share: float
) -> None:
    data = replace(data, manifest={**data.manifest, "order": "timestamp"})
    pairs = [
        (int(data.event_times[at]), int(data.event_items[at]))
        for user in range(1, len(data.users) + 1)
        for at in range(data.offsets[user], data.train_end[user])
    ]
    since = np.quantile([time for time, _ in pairs], 1 - share)
    expected = np.bincount(
        [item for time, item in pairs if time >= since], minlength=len(data.items) + 1
    )
    assert _recent_counts(data, share).tolist() == expected.tolist()
    assert (expected.sum() == len(pairs)) == (share == 1)


def test_markov_knows_a_rule_that_popularity_cannot(data: PreparedData) -> None:
    # everybody steps to the next group nine times out of ten, and all items are about as popular
    found = {
        name: evaluate(BASELINES[name](data), data).metrics["UAUC"] or 0
        for name in ("popularity", "markov")
    }
    assert found["popularity"] < 0.6 < 0.7 < found["markov"]


def unread(data: PreparedData) -> PreparedData:
    """The same data with every held-out event on item 1."""
    items = np.array(data.event_items)
    for user in range(1, len(data.users) + 1):
        items[data.train_end[user] : data.offsets[user + 1]] = 1
    return replace(data, event_items=items)


def hidden(data: PreparedData) -> PreparedData:
    """The same data with nothing to validate on."""
    return replace(data, manifest={**data.manifest, "negatives": {"seed": 0, "stored": True}})


@pytest.mark.parametrize("name", BASELINES)
def test_every_baseline_answers_any_history_from_training_events_alone(
    data: PreparedData, name: str
) -> None:
    score = BASELINES[name](data)
    histories, catalogue = (
        np.array([[3, 4, 0], [7, 0, 0], [0, 0, 0], [5, 5, 6]]),
        np.arange(1, len(data.items) + 1)[None],
    )
    everything = score(histories, catalogue)
    assert everything.shape == (4, len(data.items))
    assert np.isfinite(everything).all()
    own = np.tile(catalogue, (4, 1))
    np.testing.assert_allclose(score(histories, own), everything, rtol=1e-4, atol=1e-6)
    without = unread(data)
    if (
        name == "knn-content"
    ):  # its one weight is chosen on validation users: take them away in both
        assert score(histories, catalogue).shape == everything.shape
        everything, without = BASELINES[name](hidden(data))(histories, catalogue), hidden(without)
    assert BASELINES[name](without)(histories, catalogue).tolist() == everything.tolist()


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("protocol", _PROTOCOLS)
def test_every_baseline_is_evaluated_under_both_protocols(
    data: PreparedData, name: str, protocol: Protocol
) -> None:
    found = evaluate(BASELINES[name](data), data, protocol=protocol)
    assert len(found.users) == 90
    # everybody leaves the kind of thing that they just had, so content alone is below chance
    low, high = (0.1, 0.4) if name == "content-knn" else (0.4, 1.0)
    assert low < (found.metrics["UAUC"] or 0) < high
