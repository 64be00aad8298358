"""Rows hold what experts say of their candidates, each once, and nothing that the user had."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.experts.alike import content_of
from solidrec.experts.counted import count
from solidrec.nn.mixture import Experts
from solidrec.nn.recommender import Recommender
from solidrec.training.folds import _sampled
from solidrec.training.rows import Rows, pack


def test_rows_leave_out_what_was_had_before_and_count_a_candidate_once(
    data: PreparedData, untrained: Callable[[PreparedData], Recommender]
) -> None:
    similar = content_of(data)
    counted = count(data, similar, None)
    targets = _sampled(data, 0)
    users, positions, _ = targets
    rows = pack(Experts(untrained(data), counted), data, targets, length=6, all_of=True)
    _, item = data.seen(users[:1], positions[:1])
    repeats = np.array(
        [
            int(data.event_items[p]) in set(data.event_items[data.offsets[u] : p].tolist())
            for u, p in zip(users, positions, strict=True)
        ]
    )
    assert not rows.found[torch.from_numpy(repeats)].any()
    assert rows.found.any()
    # the catalogue has 40 items, so each that counts counts once
    assert int(rows.kept.sum(1).max()) <= len(data.items)
    assert len(item) >= 1


def test_rows_are_the_same_in_blocks_of_any_size_and_parts_are_given_up(
    data: PreparedData,
    untrained: Callable[[PreparedData], Recommender],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted = count(data, content_of(data), None)
    experts = Experts(untrained(data), counted)
    targets = _sampled(data, 0)
    whole = pack(experts, data, targets, length=6, all_of=True)
    monkeypatch.setattr("solidrec.training.rows._FLOATS", 1)
    by_one = pack(experts, data, targets, length=6, all_of=True)
    torch.testing.assert_close(by_one, whole)
    parts = [whole.take(slice(0, 3)), whole.take(slice(3, None))]
    torch.testing.assert_close(Rows.together(parts), whole, rtol=0, atol=0)
    assert not parts


def test_recency_brings_candidates_of_its_own(
    timed: PreparedData,
    untrained: Callable[[PreparedData], Recommender],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A target that no other expert has first is found if it is the latest of all."""
    monkeypatch.setattr("solidrec.training.rows._BEST", 1)
    counted, neural = count(timed, content_of(timed), None), untrained(timed)
    targets = _sampled(timed, 0)
    found = pack(Experts(neural, counted), timed, targets, length=6, all_of=True).found
    lost = int((~found).nonzero()[0, 0])
    recent = torch.zeros(len(timed.items) + 1)
    recent[int(timed.event_items[targets.positions[lost]])] = 1.0
    rows = pack(
        Experts(neural, counted._replace(recent=recent)), timed, targets, length=6, all_of=True
    )
    assert rows.found[lost]
    assert rows.evidence.counts[1, lost, 0] == 1
    assert rows.evidence.counts[0, lost, 0] == timed.train_counts[int(recent.argmax())]
