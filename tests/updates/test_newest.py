"""The newest events are held out, and judge two models by their difference for each user."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.updates.new_data import with_new_events
from solidrec.updates.newest import METRIC, Verdict, hold_newest, judge


def before(data: PreparedData, first: np.ndarray) -> np.ndarray:
    """The mask of the events before a position of each user."""
    return np.arange(len(data.event_items)) < np.repeat(first, np.diff(data.offsets))


def test_the_newest_events_are_the_last_share_of_the_new_ones(mixture: Any, tmp_path: Path) -> None:
    new = with_new_events(mixture.run, mixture.data, mixture.clicks, out=tmp_path / "new")
    data = new.data
    held = hold_newest(data, new.trained, share=0.25)
    times, users = np.asarray(data.event_times), np.repeat(np.arange(121), np.diff(data.offsets))
    is_new = ~new.trained
    trained = np.arange(len(times)) < held.data.train_end[users]
    # Nothing that is held out is older than what is trained on, and it is about a quarter: events
    # of one time stay together.
    cut = times[~trained].min()
    assert cut > times[trained].max()
    assert (times > cut).sum() < 0.25 * is_new.sum() < (times >= cut).sum() + 5
    # The target of each user is the first one held out.
    for user, position, target in zip(
        held.rows.users, held.rows.positions, held.rows.targets, strict=True
    ):
        assert position == held.data.train_end[user]
        assert target == data.event_items[position]
    assert set(held.rows.users) == set(users[~trained])


def test_a_user_without_an_earlier_event_gives_the_second_one(tmp_path: Path) -> None:
    log = pl.DataFrame(
        {
            "user": ["u", "u", "u", "v", "v", "w"],
            "item": ["a", "b", "c", "a", "c", "b"],
            "timestamp": [1, 2, 9, 9, 10, 9],
        }
    )
    data = prepare(log, split="none", out=tmp_path / "data")
    # All of v and w is new, and u's last event.
    held = hold_newest(data, np.arange(6) < 2, share=0.9)
    assert held.rows.users.tolist() == [1, 2]
    assert held.rows.positions.tolist() == [2, 4]
    assert held.data.train_end.tolist() == [0, 2, 3, 5]


def test_without_times_the_last_new_event_of_each_user_is_held_out(data: PreparedData) -> None:
    ends = np.asarray(data.offsets[1:])
    first = ends.copy()
    first[[3, 4]] -= [1, 2]
    held = hold_newest(data, before(data, first), share=0.5)
    assert held.rows.users.tolist() == [3, 4]
    assert held.rows.positions.tolist() == (ends[[3, 4]] - 1).tolist()
    assert (held.data.train_end == np.where(np.isin(np.arange(91), [3, 4]), ends - 1, ends)).all()


def test_a_model_is_compared_with_itself_and_with_one_that_knows(data: PreparedData) -> None:
    held = hold_newest(data, before(data, np.asarray(data.offsets[1:]) - 1), share=0.5)
    target = dict(
        zip(
            map(tuple, data.histories(held.rows.users, held.rows.positions, 10).tolist()),
            held.rows.targets.tolist(),
            strict=True,
        )
    )

    def nothing(history: Any, candidates: Any) -> Any:
        return np.zeros((len(history), candidates.shape[1]), dtype=np.float32)

    def knows(history: Any, candidates: Any) -> Any:
        wanted = np.array([target[tuple(row)] for row in history.tolist()])
        return (candidates == wanted[:, None]).astype(np.float32)

    same = judge(knows, knows, held, length=10)
    assert (same.difference, same.low, same.high, same.worse) == (0, 0, 0, False)
    better = judge(nothing, knows, held, length=10)
    worse = judge(knows, nothing, held, length=10)
    seen = better.after.missed / len(held.rows)  # which no model can recommend
    assert better.after.metrics[METRIC] == pytest.approx(1 - seen)
    assert better.difference == -worse.difference > 0
    assert worse.worse
    assert not better.worse
    assert worse.to_json()["users"] == len(held.rows)
    assert f"the difference is {worse.difference:+.4f}" in str(worse)


@pytest.mark.parametrize(("high", "worse"), [(-0.001, True), (0.0, False), (0.001, False)])
def test_only_an_interval_below_zero_is_worse(data: PreparedData, high: float, worse: bool) -> None:
    one = replace_interval(high)
    assert one.worse is worse


def replace_interval(high: float) -> Verdict:
    nothing: Any = None
    return replace(
        Verdict(nothing, nothing, difference=-0.01, low=-0.02, high=0.0, users=3), high=high
    )


def test_what_arrived_late_never_makes_a_trained_event_a_target(tmp_path: Path) -> None:
    """A new event of long ago lies before events that were trained; these judge nothing."""
    log = pl.DataFrame(
        {
            "user": ["u"] * 5 + ["v"] * 4,
            "item": ["a", "b", "c", "d", "e", "a", "c", "b", "d"],
            "timestamp": [1, 2, 3, 40, 50, 1, 2, 35, 60],
        }
    )
    data = prepare(log, split="none", out=tmp_path / "data")
    # u: b is late, a, c, d are trained, e is new; v: everything is trained but the last.
    trained = np.array([True, False, True, True, False, True, True, True, False])
    held = hold_newest(data, trained, share=0.6)
    assert held.rows.positions.tolist() == [4, 8]
    assert held.data.train_end.tolist() == [0, 4, 8]
    alone = hold_newest(data, np.array([True] * 9) & (np.arange(9) != 1), share=0.5)
    # Only the late event is new: it has an earlier one, and is what there is to judge by.
    assert alone.rows.positions.tolist() == [1]


def test_without_anybody_there_is_no_verdict(data: PreparedData) -> None:
    held = hold_newest(data, before(data, np.asarray(data.offsets[1:])), share=0.5)

    def never(history: Any, candidates: Any) -> Any:
        raise AssertionError

    assert judge(never, never, held, length=10) is None
