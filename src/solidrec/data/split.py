"""Splits: the events to train on, and the single events to test each user on.

A user's events are one contiguous range in time order, so a split consists of positions: the end
of each user's training, and the absolute positions of the targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
import numpy.typing as npt

from solidrec.arrays import AnyInts
from solidrec.errors import DataError, UsageError

_Positions = npt.NDArray[np.int64]


@final
@dataclass(frozen=True)
class Split:
    """The end of training (U+1,), and users and positions (R,) of the valid and test targets."""

    train_end: _Positions
    targets: dict[str, tuple[npt.NDArray[np.int32], _Positions]]
    facts: dict[str, Any]


def leave_one_out(offsets: _Positions) -> Split:
    """Test on each user's last event and validate on the one before.

    Users with one or two events only train. `offsets` is (U+2,): the events of user u are
    ``offsets[u]:offsets[u + 1]``, and user 0 has none.

    >>> split = leave_one_out(np.array([0, 0, 3, 5]))
    >>> split.train_end, split.targets["test"][1], split.facts["train_only_users"]
    (array([0, 1, 5]), array([2]), 1)
    """
    ends = offsets[1:]
    users = np.flatnonzero(np.diff(offsets) >= 3)
    if not len(users):
        raise DataError(
            "no user has three events, so leave-one-out has nothing to test; give more data or "
            "--fit-all"
        )
    train_end = ends.copy()
    train_end[users] -= 2
    targets = {"valid": _rows(users, ends[users] - 2), "test": _rows(users, ends[users] - 1)}
    return Split(train_end, targets, {"train_only_users": len(ends) - 1 - len(users)})


def by_time(offsets: _Positions, times: _Positions, *, valid_from: int, test_from: int) -> Split:
    """Train before `valid_from`; the target of a later period is a user's first event in it.

    A target must have an earlier event of its user. Users with events in a period, but no target,
    are counted as dropped from it. Raises `DataError` when a split would be empty.
    """
    if valid_from > test_from:
        raise UsageError(
            f"the validation period starts at {valid_from}, after the test period ({test_from}); "
            "swap them"
        )
    found = _by_cuts(offsets, times, valid_from, test_from)
    for name, (users, _) in found.targets.items():
        if not len(users):
            raise DataError(
                f"the time split leaves no {name} target (periods start at {valid_from} and "
                f"{test_from}); move the cuts"
            )
    return replace(found, facts={"valid_from": valid_from, "test_from": test_from} | found.facts)


def by_part(offsets: _Positions, part: AnyInts, *, name: Callable[[int], str]) -> Split:
    """Take the split from `part` (N,): 0 in training, 1 in validation, 2 in tests.

    The targets are those of `by_time`: a user's first event of either kind that has an earlier one;
    `further_events` counts the others. Raises `DataError` for a split without a target, and for a
    user, called `name`, with a training event after a held-out one.
    """
    before = (np.diff(part) < 0).nonzero()[0]
    inside = before[~np.isin(before + 1, offsets)]
    if len(inside):
        user = int(np.searchsorted(offsets, inside[0], side="right")) - 1
        raise DataError(
            f"user {name(user)!r} has an event of an earlier part of the split after one of a "
            f"later part ({len(inside):,} such events in all); a user's training must come first, "
            "then validation, then tests"
        )
    found = _by_cuts(offsets, part, 1, 2)
    further = {}
    for part_name, number in (("valid", 1), ("test", 2)):
        targets = len(found.targets[part_name][0])
        if not targets:
            raise DataError(
                f"the split column leaves no {part_name} target; it needs train, valid and test, "
                "and an earlier event of each user with a held-out one"
            )
        further[part_name] = int(np.count_nonzero(part == number)) - targets
    return replace(found, facts=found.facts | {"further_events": further})


def _by_cuts(offsets: _Positions, keys: AnyInts, valid_from: int, test_from: int) -> Split:
    """Split every user's events, in the order of their keys (N,), at two keys."""
    starts, ends = offsets[:-1], offsets[1:]
    # positions (U+1,) where each user's periods begin and end
    cuts = [
        starts,
        first_at(starts, ends, keys, valid_from),
        first_at(starts, ends, keys, test_from),
        ends,
    ]
    targets, dropped = {}, {}
    for name, begin, end in (("valid", cuts[1], cuts[2]), ("test", cuts[2], cuts[3])):
        first = np.maximum(begin, starts + 1)  # the user's very first event is no target
        users = np.flatnonzero(first < end)
        targets[name] = _rows(users, first[users])
        dropped[name] = int(np.count_nonzero(begin < end)) - len(users)
    return Split(cuts[1], targets, {"users_without_earlier_events": dropped})


def time_cuts(times: _Positions, valid_fraction: float, test_fraction: float) -> tuple[int, int]:
    """Return the two times that leave the given shares of all events to validation and test.

    >>> time_cuts(np.arange(10), 0.1, 0.2)
    (7, 8)
    """
    if not (0 < valid_fraction and 0 < test_fraction and valid_fraction + test_fraction < 1):
        raise UsageError(
            f"valid_fraction {valid_fraction} and test_fraction {test_fraction} must be positive "
            "and below 1 together"
        )
    ordered = np.sort(times)
    valid = round(len(times) * (1 - valid_fraction - test_fraction))
    test = round(len(times) * (1 - test_fraction))
    last = len(times) - 1
    return int(ordered[min(valid, last)]), int(ordered[min(test, last)])


def fit_all(offsets: _Positions) -> Split:
    """Train on every event, with nothing left to validate or test on."""
    return Split(offsets[1:].copy(), {}, {})


def tied_last(offsets: _Positions, times: _Positions) -> int:
    """Count the users whose last two events have the same time, so that the last is arbitrary.

    >>> tied_last(np.array([0, 0, 2, 4, 5]), np.array([1, 1, 1, 2, 2]))
    1
    """
    # the last event of every user with at least two
    last = offsets[2:] - 1
    last = last[np.diff(offsets)[1:] >= 2]
    return int(np.count_nonzero(times[last] == times[last - 1]))


def first_at(starts: _Positions, ends: _Positions, times: AnyInts, cut: int) -> _Positions:
    """Return the position of each user's first event at or after `cut`, or the user's end."""
    # before[i] counts those of the first i events that lie before `cut`
    before = np.concatenate([[0], np.cumsum(times < cut)])
    return np.asarray(starts + before[ends] - before[starts], dtype=np.int64)


def _rows(
    users: npt.NDArray[np.int64], positions: _Positions
) -> tuple[npt.NDArray[np.int32], _Positions]:
    return users.astype(np.int32), positions.astype(np.int64)
