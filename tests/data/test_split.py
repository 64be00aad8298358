from __future__ import annotations

import numpy as np
import pytest

from solidrec.data.split import by_part, by_time, fit_all, leave_one_out, time_cuts
from solidrec.errors import DataError, UsageError

OFFSETS = np.array([0, 0, 1, 3, 6, 10])  # four users with 1, 2, 3 and 4 events


def test_leave_one_out_tests_the_last_and_validates_the_one_before() -> None:
    split = leave_one_out(OFFSETS)
    assert split.train_end.tolist() == [0, 1, 3, 6 - 2, 10 - 2]
    assert [array.tolist() for array in split.targets["valid"]] == [[3, 4], [6 - 2, 10 - 2]]
    assert [array.tolist() for array in split.targets["test"]] == [[3, 4], [6 - 1, 10 - 1]]
    assert split.facts == {"train_only_users": 2}


def test_leave_one_out_of_short_users_only_says_so() -> None:
    with pytest.raises(DataError, match="no user has three events"):
        leave_one_out(np.array([0, 0, 2, 4]))


def test_the_time_split_takes_the_first_event_of_a_period_that_has_an_earlier_one() -> None:
    times = np.array([1, 10, 20, 1, 12, 13, 11, 14, 21, 22])
    #       user 1: 1 | user 2: 10 20 | user 3: 1 12 13 | user 4: 11 14 21 22
    split = by_time(OFFSETS, times, valid_from=10, test_from=20)
    assert split.train_end.tolist() == [0, 1, 1, 4, 6]
    users, positions = split.targets["valid"]
    assert dict(zip(users.tolist(), positions.tolist(), strict=True)) == {
        3: 4,
        4: 7,
    }  # user 4's event at 11 has none before
    users, positions = split.targets["test"]
    assert dict(zip(users.tolist(), positions.tolist(), strict=True)) == {2: 2, 4: 8}
    assert split.facts["users_without_earlier_events"] == {
        "valid": 1,
        "test": 0,
    }  # user 2's only valid event is their first


def test_an_empty_period_and_swapped_cuts_are_errors() -> None:
    times = np.arange(10)
    with pytest.raises(DataError, match="no test target"):
        by_time(OFFSETS, times, valid_from=5, test_from=100)
    with pytest.raises(UsageError, match="swap"):
        by_time(OFFSETS, times, valid_from=8, test_from=5)


def test_time_cuts_leave_the_fractions() -> None:
    valid_from, test_from = time_cuts(np.arange(1000)[::-1], 0.1, 0.2)
    assert (valid_from, test_from) == (1000 - 300, 1000 - 200)
    with pytest.raises(UsageError, match="below 1 together"):
        time_cuts(np.arange(10), 0.5, 0.5)


def test_fit_all_trains_on_every_event() -> None:
    split = fit_all(OFFSETS)
    assert split.train_end.tolist() == OFFSETS[1:].tolist()
    assert split.targets == {}


def test_a_given_split_has_the_first_event_of_each_part_as_target() -> None:
    # of four users; the third has nothing but a validation event, the fourth only trains
    offsets = np.array([0, 0, 5, 7, 8, 9])
    part = np.array([0, 0, 1, 1, 2, 0, 2, 1, 0], dtype=np.int8)
    found = by_part(offsets, part, name=str)
    assert found.train_end.tolist() == [0, 2, 6, 7, 9]
    assert [each.tolist() for each in found.targets["valid"]] == [[1], [2]]
    assert [each.tolist() for each in found.targets["test"]] == [[1, 2], [4, 6]]
    assert found.facts == {
        "users_without_earlier_events": {"valid": 1, "test": 0},
        "further_events": {"valid": 2, "test": 0},
    }


def test_a_given_split_follows_the_order_of_events() -> None:
    offsets = np.array([0, 0, 2, 5])
    with pytest.raises(DataError, match=r"user '2' has an event of an earlier part .*\(1 such"):
        by_part(offsets, np.array([1, 2, 0, 2, 1]), name=str)
    # the next user may begin anew
    by_part(offsets, np.array([0, 2, 0, 1, 2]), name=str)


@pytest.mark.parametrize(("part", "name"), [([0, 0, 2], "valid"), ([0, 0, 1], "test")])
def test_a_given_split_without_a_target_is_refused(part: list[int], name: str) -> None:
    with pytest.raises(DataError, match=f"leaves no {name} target"):
        by_part(np.array([0, 0, 3]), np.array(part), name=str)
