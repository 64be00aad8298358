from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from solidrec.arrays import AnyInts as Integers
from solidrec.data.negatives import TrainingNegatives, Unseen, fixed_negatives
from solidrec.data.windows import _BLOCK


def unseen_of(users: Integers, items: Integers, *, n_users: int, n_items: int) -> Unseen:
    """`Unseen` of events in any order."""
    ends = np.cumsum(np.bincount(users, minlength=n_users + 1))
    return Unseen(
        items[np.argsort(users, kind="stable")], np.append(0, ends[:-1]), ends, n_items=n_items
    )


@given(st.integers(1, 12), st.lists(st.tuples(st.integers(1, 4), st.integers(1, 12)), max_size=30))
def test_ranks_number_exactly_the_unseen_items_in_order(
    n_items: int, events: list[tuple[int, int]]
) -> None:
    events = [(user, item) for user, item in events if item <= n_items]
    users, items = (np.array([event[i] for event in events], dtype=np.int64) for i in (0, 1))
    unseen = unseen_of(users, items, n_users=4, n_items=n_items)
    for user in range(1, 5):
        expected = sorted(
            set(range(1, n_items + 1)) - {item for who, item in events if who == user}
        )
        assert unseen.free[user] == len(expected)
        ranks = np.arange(len(expected))
        assert unseen.pick(np.full(len(expected), user), ranks).tolist() == expected


def test_users_of_many_blocks_are_kept_apart() -> None:
    rng = np.random.default_rng(1)
    lengths = rng.integers(
        0, 60, size=100_001
    )  # about three blocks of events, and some held out between users
    ends = np.cumsum(lengths)
    starts, trained = ends - lengths, ends - lengths // 10
    items = rng.integers(1, 101, size=int(ends[-1]), dtype=np.int32)
    assert len(items) > 2 * _BLOCK
    unseen = Unseen(items, starts, trained, n_items=100)
    for user in rng.integers(0, len(lengths), size=300).tolist():
        expected = sorted(set(range(1, 101)) - set(items[starts[user] : trained[user]].tolist()))
        assert (
            unseen.pick(np.full(len(expected), user), np.arange(len(expected))).tolist() == expected
        )
        assert unseen.free[user] == len(expected)


def test_training_negatives_are_uniform_over_what_the_user_has_not_trained_on() -> None:
    negatives = TrainingNegatives(
        unseen_of(np.array([1, 1, 2]), np.array([2, 5, 1]), n_users=2, n_items=6)
    )
    drawn = negatives.draw(np.array([1, 2]), 60_000, np.random.default_rng(0))
    counts = [np.bincount(row, minlength=7) for row in drawn]
    assert [np.flatnonzero(count).tolist() for count in counts] == [[1, 3, 4, 6], [2, 3, 4, 5, 6]]
    for count, free in zip(counts, (4, 5), strict=True):
        expected = 60_000 / free
        assert (
            abs(count[count > 0] - expected).max() < 5 * expected**0.5
        )  # five standard deviations
    assert drawn.shape == (2, 60_000)
    assert drawn.dtype == np.int32


def test_training_negatives_depend_on_the_generator_alone() -> None:
    negatives = TrainingNegatives(unseen_of(np.array([1]), np.array([2]), n_users=1, n_items=50))
    first, again = (negatives.draw(np.array([1, 1]), 4, np.random.default_rng(7)) for _ in range(2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != negatives.draw(np.array([1, 1]), 4, np.random.default_rng(8)).tolist()


def test_a_user_who_has_everything_gets_the_whole_catalogue() -> None:
    negatives = TrainingNegatives(
        unseen_of(np.array([1, 1, 1, 2]), np.array([1, 2, 3, 1]), n_users=2, n_items=3)
    )
    drawn = negatives.draw(np.array([1, 2]), 200, np.random.default_rng(0))
    assert set(drawn[0].tolist()) == {1, 2, 3}
    assert set(drawn[1].tolist()) == {2, 3}


def test_fixed_negatives_are_distinct_unseen_and_stable_under_other_users() -> None:
    users, items = np.array([1, 1, 2, 3]), np.array([4, 9, 4, 1])
    unseen = unseen_of(users, items, n_users=3, n_items=120)
    found = fixed_negatives(unseen, np.array([1, 2, 3]), ["ann", "bob", "cy"], count=99, seed=0)
    assert found.shape == (3, 99)
    assert all(len(set(row)) == 99 for row in found.tolist())
    assert not set(found[0].tolist()) & {4, 9}
    assert found.min() >= 1
    assert found.max() <= 120
    alone = unseen_of(np.array([1]), np.array([4]), n_users=1, n_items=120)
    assert (
        fixed_negatives(alone, np.array([1]), ["bob"], count=99, seed=0).tolist()
        == found[1:2].tolist()
    )
    for other in ({"seed": 1}, {"seed": 0, "salt": "test"}):
        assert (
            fixed_negatives(alone, np.array([1]), ["bob"], count=99, **other).tolist()
            != found[1:2].tolist()
        )  # type: ignore[arg-type]


def test_fixed_negatives_can_take_everything_that_is_left() -> None:
    unseen = unseen_of(np.array([1, 1]), np.array([2, 3]), n_users=1, n_items=5)
    assert sorted(fixed_negatives(unseen, np.array([1]), ["a"], count=3, seed=0)[0].tolist()) == [
        1,
        4,
        5,
    ]


def test_every_item_is_a_fixed_negative_equally_often() -> None:
    unseen = unseen_of(np.array([1]), np.array([10]), n_users=20_000, n_items=10)
    users = np.arange(2, 20_001)
    found = fixed_negatives(unseen, users, [f"u{user}" for user in users], count=4, seed=3)
    counts = np.bincount(found.ravel(), minlength=11)[1:]
    expected = len(users) * 4 / 10
    assert abs(counts - expected).max() < 5 * expected**0.5


def test_ten_thousand_users_take_about_a_second() -> None:
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(1, 10_001), 10)
    unseen = unseen_of(users, rng.integers(1, 5001, size=len(users)), n_users=10_000, n_items=5000)
    start = time.perf_counter()
    fixed_negatives(
        unseen, np.arange(1, 10_001), [str(user) for user in range(10_000)], count=99, seed=0
    )
    assert (
        time.perf_counter() - start < 5
    )  # about 0.4 s on an idle core; the slack is for busy machines
