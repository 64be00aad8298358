"""Any split is what a plain loop over each user's events gives."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.data.split import by_time, leave_one_out
from solidrec.errors import DataError

USERS = st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=6).map(sorted), max_size=6)


def flat(users: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """The offsets, with user 0 of no events, and the times of the events."""
    offsets = np.cumsum([0, 0, *map(len, users)])
    return offsets, np.array([time for user in users for time in user], dtype=np.int64)


@given(USERS)
def test_leave_one_out(users: list[list[int]]) -> None:
    offsets, _ = flat(users)
    long = [number for number, user in enumerate(users, start=1) if len(user) >= 3]
    if not long:
        with pytest.raises(DataError):
            leave_one_out(offsets)
        return
    split = leave_one_out(offsets)
    ends = offsets[1:].tolist()
    for number, (start, end) in enumerate(pairwise(offsets.tolist())):
        held = 2 if end - start >= 3 else 0
        assert split.train_end[number] == end - held
    for name, back in (("valid", 2), ("test", 1)):
        numbers, positions = split.targets[name]
        assert numbers.tolist() == long
        assert positions.tolist() == [ends[number] - back for number in long]


@given(USERS, st.integers(0, 12), st.integers(0, 12))
def test_by_time(users: list[list[int]], one: int, other: int) -> None:
    valid_from, test_from = sorted((one, other))
    offsets, times = flat(users)
    expected: dict[str, list[tuple[int, int]]] = {"valid": [], "test": []}
    for number, user in enumerate(users, start=1):
        start = int(offsets[number])
        for name, period in (
            ("valid", range(valid_from, test_from)),
            ("test", range(test_from, 99)),
        ):
            inside = [place for place, time in enumerate(user) if time in period and place > 0]
            if inside:
                expected[name].append((number, start + inside[0]))
    if not all(expected.values()):
        with pytest.raises(DataError):
            by_time(offsets, times, valid_from=valid_from, test_from=test_from)
        return
    split = by_time(offsets, times, valid_from=valid_from, test_from=test_from)
    for name, targets in expected.items():
        numbers, positions = split.targets[name]
        assert list(zip(numbers.tolist(), positions.tolist(), strict=True)) == targets
    for number, user in enumerate(users, start=1):
        trained = sum(time < valid_from for time in user)
        assert split.train_end[number] == offsets[number] + trained
