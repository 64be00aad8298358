"""Rows are judged by experts that have not seen them: of other users, or of an earlier time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError
from solidrec.experts.alike import content_of
from solidrec.experts.counted import count
from solidrec.nn.mixture import Experts
from solidrec.nn.recommender import Recommender
from solidrec.spec import TrainSpec
from solidrec.training.folds import _FOLDS, _PERIOD, _dealt, _sampled, by_time, by_users, folds
from solidrec.training.neural import of_users
from solidrec.training.rows import Targets, pack


def test_the_split_says_what_weights_are_learned_from(
    data: PreparedData, timed: PreparedData
) -> None:
    assert [fold.part for fold in folds(data, TrainSpec(), 0)] == ["half0"] * 4 + ["half1"] * 4
    assert [fold.part for fold in folds(timed, TrainSpec(folds="time"), 0)] == ["before"]


def test_every_row_is_in_one_fold_and_its_experts_have_not_seen_its_user(
    data: PreparedData,
) -> None:
    all_of_them = list(by_users(data, 0))
    positions = np.concatenate([fold.targets.positions for fold in all_of_them])
    assert sorted(positions) == sorted(data.training_targets()[1])
    assert len(all_of_them) == _FOLDS
    for fold in all_of_them:
        for experts in (fold.counted, fold.learned):
            seen = np.flatnonzero(experts.train_end > experts.offsets[:-1])
            assert not np.isin(fold.targets.users, seen).any()
            assert len(seen) > 0
            assert "valid" not in experts.manifest["negatives"]


def test_a_row_of_dealt_users_is_as_far_as_events_of_its_user_come_after_it(
    data: PreparedData,
) -> None:
    users, positions, far = _sampled(data, 0)
    assert (positions + far + 1 == data.train_end[users]).all()
    assert (far == 0).sum() == (data.train_end - data.offsets[:-1] > 1).sum()


def test_the_memories_of_other_parts_say_the_same_without_the_user(
    data: PreparedData, untrained: Callable[[PreparedData], Recommender]
) -> None:
    """Without a user's events, the other parts' memories say the same of its rows, to the bit."""
    part = _dealt(data, 0)
    user = int(np.flatnonzero(data.train_end - data.offsets[:-1] > 2)[0])
    targets = Targets(np.repeat(user, 2), data.train_end[user] - np.array([1, 2]), np.array([0, 1]))
    neural = untrained(data)
    found = []
    for present in (np.ones(len(part), dtype=bool), np.arange(len(part)) != user):
        counted = count(of_users(data, present & (part != part[user])), content_of(data), None)
        found.append(pack(Experts(neural, counted), data, targets, length=6, all_of=True))
    for one, two in zip(found[0].evidence, found[1].evidence, strict=True):
        assert torch.equal(one, two)


def test_the_parts_are_even(data: PreparedData) -> None:
    part = _dealt(data, 0)
    sizes = np.bincount(part[data.train_end - data.offsets[:-1] > 1], minlength=_FOLDS)
    assert sizes.max() - sizes.min() <= 1


def test_rows_by_time_come_after_all_that_their_experts_have_seen(timed: PreparedData) -> None:
    [fold] = by_time(timed, 0)
    users, positions, far = fold.targets
    times, ends = np.asarray(timed.event_times), fold.counted.train_end
    learned = np.concatenate([times[a:b] for a, b in zip(timed.offsets[:-1], ends, strict=True)])
    assert times[positions].min() > learned.max()
    assert fold.learned is fold.counted
    # every event of the period with an earlier event of its user is a row, and no later event is
    inside = [
        (u, p)
        for u in range(1, len(ends))
        for p in range(ends[u], timed.train_end[u])
        if p > timed.offsets[u]
    ]
    assert sorted(zip(users, positions, strict=True)) == inside
    trained = (timed.train_end - timed.offsets[:-1]).sum()
    assert (timed.train_end - ends).sum() == pytest.approx(
        _PERIOD * trained, abs=len(times) / len(set(times.tolist())) + 1
    )
    # the first event of a user in the period is what validation asks for
    for user, position, away in zip(users, positions, far, strict=True):
        assert away == position - min(p for u, p in inside if u == user)
    assert far.max() > 1
    assert (ends[users] == timed.offsets[users]).any()  # some have nothing before


def test_the_nearest_rows_by_time_are_kept_where_there_are_too_many(
    timed: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = next(by_time(timed, 0)).targets.far
    monkeypatch.setattr("solidrec.training.folds._ROWS", int((every == 0).sum()) + 2)
    assert np.bincount(next(by_time(timed, 0)).targets.far).tolist() == [(every == 0).sum(), 2]


def test_rows_by_time_are_training_events_whatever_the_split(data: PreparedData) -> None:
    """Leave-one-out holds events out that are earlier than other users' training events."""
    start = np.repeat(np.arange(len(data.offsets) - 1), np.diff(data.offsets))
    log = replace(data, event_times=np.asarray(data.event_times) + start)
    [fold] = by_time(log, 0)
    assert (fold.targets.positions < data.train_end[fold.targets.users]).all()
    assert (fold.counted.train_end <= data.train_end).all()
    assert len(fold.targets.users) > 0


@pytest.mark.parametrize("events", [0, 1])
def test_too_few_events_are_an_error(timed: PreparedData, events: int) -> None:
    few = replace(timed, train_end=timed.offsets[:-1] + np.minimum(events, np.diff(timed.offsets)))
    with pytest.raises(DataError, match=r"train\.folds=users"):
        next(by_time(few, 0))


def test_nothing_to_learn_before_the_period_is_an_error(timed: PreparedData) -> None:
    """All events at one time are the period."""
    with pytest.raises(DataError, match=r"train\.folds=users"):
        next(by_time(replace(timed, event_times=np.zeros_like(timed.event_times)), 0))
