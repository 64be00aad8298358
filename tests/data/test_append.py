"""New events join those of prepared data as if all had been prepared at once; no number changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.data.append import Appended, appended, first_new
from solidrec.data.prepare import cleaned_log, prepare
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.data.prepared import Events, PreparedData
from solidrec.data.readers import read_table
from solidrec.errors import DataError

OLD = pl.DataFrame(
    {
        "user": ["u", "u", "u", "v", "v", "v"],
        "item": ["b", "c", "b", "c", "d", "b"],
        "timestamp": [1, 3, 5, 2, 4, 6],
    }
)
NEW = pl.DataFrame(
    {
        "user": ["v", "a", "a", "u", "v", "v"],
        "item": ["a", "b", "e", "c", "c", "d"],
        "timestamp": [9, 7, 8, 3, 5, 6],
    }
)


def both(data: PreparedData, log: pl.DataFrame) -> Appended:
    cleaned = cleaned_log(read_table(log), PrepareSpec())
    return appended(data, cleaned, vocabulary=data.items)


def first(found: Appended) -> np.ndarray:
    return first_new(found.events.offsets, found.trained)


def by_user(events: Events | PreparedData, *, times: bool = True) -> dict[str, list[Any]]:
    """The events of each user by raw ids, in order."""
    of_event = events.items if isinstance(events, Events) else events.event_items
    ids = events.item_ids if isinstance(events, Events) else events.items
    when = events.times if isinstance(events, Events) else events.event_times
    found: dict[str, list[Any]] = {}
    for number, user in enumerate(events.users.ids, start=1):
        part = range(int(events.offsets[number]), int(events.offsets[number + 1]))
        found[user] = [(ids.id(int(of_event[at])), int(when[at]) * times) for at in part]
    return found


def test_known_ids_keep_their_numbers_and_new_ones_come_last(tmp_path: Path) -> None:
    data = prepare(OLD, out=tmp_path / "old")
    found = both(data, NEW)
    assert data.users.ids == ("u", "v")
    assert found.events.users.ids == ("u", "v", "a")
    assert found.events.item_ids.ids == ("b", "c", "d", "a", "e")
    # v had "b" at 6 before; the new "d" of the same time comes after it, "c" at 5 in between.
    assert by_user(found.events) == {
        "u": [("b", 1), ("c", 3), ("b", 5)],
        "v": [("c", 2), ("d", 4), ("c", 5), ("b", 6), ("d", 6), ("a", 9)],
        "a": [("b", 7), ("e", 8)],
    }
    assert (found.added, found.known) == (5, 1)  # u's "c" at 3 is known


def test_the_first_event_that_was_not_in_training_is_found(tmp_path: Path) -> None:
    """Of leave-one-out data with three events, only a user's first one was in training."""
    data = prepare(OLD, out=tmp_path / "old")
    assert (data.train_end - data.offsets[:-1]).tolist() == [0, 1, 1]
    found = both(data, NEW)
    assert (first(found) - found.events.offsets[:-1]).tolist() == [0, 1, 1, 0]
    whole = prepare(OLD, out=tmp_path / "whole", split="none")
    found = both(whole, NEW)
    # v's late event "c" is the third; u has nothing new, so its end is given.
    assert (first(found) - found.events.offsets[:-1]).tolist() == [0, 3, 2, 0]
    assert (
        found.trained.tolist() == [True] * 3 + [True, True, False, True, False, False] + [False] * 2
    )


@pytest.mark.parametrize("seed", range(8))
def test_random_logs_are_as_if_they_had_been_prepared_at_once(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    log = pl.DataFrame(
        {
            "user": [f"u{n}" for n in rng.integers(12, size=150)],
            "item": [f"i{n}" for n in rng.integers(20, size=150)],
            # every time once, so that no order is arbitrary
            "timestamp": rng.permutation(150),
        }
    )
    late = pl.col("timestamp") >= 60 + 10 * seed
    data = prepare(log.filter(~late), out=tmp_path / "old", split="none")
    found = both(data, log.sample(fraction=0.3, seed=seed).vstack(log.filter(late)).unique())
    whole = prepare(log, out=tmp_path / "whole", split="none")
    assert by_user(found.events) == by_user(whole)
    assert found.added == int(log.select(late.sum()).item())
    new = found.events.times >= 60 + 10 * seed
    assert (found.trained == ~new).all()


def test_events_by_position_come_after_all_that_their_user_did(tmp_path: Path) -> None:
    def ordered(log: pl.DataFrame) -> pl.DataFrame:
        return log.with_columns(position=pl.int_range(pl.len()).over("user")).drop("timestamp")

    data = prepare(ordered(OLD), out=tmp_path / "old", split="none")
    found = both(data, ordered(NEW))
    assert by_user(found.events, times=False) == {
        "u": [("b", 0), ("c", 0), ("b", 0), ("c", 0)],
        "v": [("c", 0), ("d", 0), ("b", 0), ("a", 0), ("c", 0), ("d", 0)],
        "a": [("b", 0), ("e", 0)],
    }
    assert found.known == 0
    for user in range(1, 4):
        own = found.events.times[found.events.offsets[user] : found.events.offsets[user + 1]]
        assert (np.diff(own) > 0).all()


def test_logs_that_are_ordered_otherwise_are_refused(tmp_path: Path) -> None:
    data = prepare(OLD, out=tmp_path / "old")
    with pytest.raises(DataError, match=r"ordered by position, .*old by timestamp"):
        both(data, NEW.rename({"timestamp": "position"}))


@pytest.mark.parametrize(("factor", "refused"), [(1000, True), (1, False), (0.001, True)])
def test_times_of_another_unit_are_refused(tmp_path: Path, factor: float, refused: bool) -> None:
    """A log in milliseconds would be all new, after everything, and nothing would be known."""
    start = 1_700_000_000
    data = prepare(OLD.with_columns(pl.col("timestamp") + start), out=tmp_path / "old")
    times = ((pl.col("timestamp") + start) * factor).cast(pl.Int64)
    if not refused:
        assert both(data, NEW.with_columns(times)).known == 1
        return
    with pytest.raises(DataError, match=r"of another unit; write times as the first log did"):
        both(data, NEW.with_columns(times))
