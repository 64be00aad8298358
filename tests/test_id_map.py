"""External ids are strings, indices are 1..N, and 0 is nobody."""

from __future__ import annotations

import tracemalloc

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.id_map import IdMap

ODD = ["NA", "9007199254740993", "9007199254740992", "007", "7", "", " ", "é", "nan", "None", "0"]


def test_two_ways() -> None:
    """No id is read as a number, a missing value or another one that looks alike."""
    ids = IdMap(ODD)
    assert len(ids) == len(ODD)
    assert [ids.index(name) for name in ODD] == list(range(1, len(ODD) + 1))
    assert [ids.id(index) for index in range(1, len(ODD) + 1)] == ODD


@pytest.mark.parametrize("index", [0, -1, 4, 1_000_000])
def test_padding_and_beyond_have_no_id(index: int) -> None:
    with pytest.raises(IndexError, match=rf"index {index} is outside 1\.\.3"):
        IdMap(["a", "b", "c"]).id(index)


def test_known_and_unknown_keep_their_order() -> None:
    ids = IdMap(["a", "b", "c"])
    assert ids.index("z") == 0
    assert ids.known(iter(["c", "z", "a", "c", "y"])) == ([3, 1, 3], ["z", "y"])
    assert ids.known([]) == ([], [])


@given(st.lists(st.text(), unique=True), st.lists(st.text()))
def test_any_ids_come_back_and_nothing_else_is_known(names: list[str], asked: list[str]) -> None:
    ids = IdMap(names)
    assert [ids.id(number) for number in range(1, len(names) + 1)] == names
    known, unknown = ids.known([*names, *asked])
    expected = [name for name in [*names, *asked] if name in names]
    assert [ids.id(number) for number in known] == expected
    assert unknown == [name for name in asked if name not in names]


def test_empty_map() -> None:
    assert len(IdMap([])) == 0
    assert IdMap([]).index("a") == 0


def test_a_change_of_the_list_it_came_from_is_not_seen() -> None:
    names = ["a"]
    ids = IdMap(names)
    names.append("b")
    assert ids.ids == ("a",)


def test_many_ids_are_held_without_a_python_object_each() -> None:
    names = pl.select(pl.format("user-{}", pl.int_range(1_000_000))).to_series()
    tracemalloc.start()
    ids = IdMap(names)
    assert (len(ids), ids.id(1), ids.id(10**6)) == (10**6, "user-0", "user-999999")
    assert tracemalloc.get_traced_memory()[1] < 100_000  # a tuple of these strings takes 67 MB
    tracemalloc.stop()
    with pytest.raises(IndexError, match="outside"):
        ids.id(10**6 + 1)
    assert [ids.index(name) for name in ("user-0", "user-31415", "user-1000000")] == [1, 31416, 0]
    assert ids.ids == tuple(names)


def test_a_slice_of_a_longer_series_is_counted_from_one() -> None:
    ids = IdMap(pl.Series(ODD).slice(3, 4))
    assert (len(ids), ids.ids) == (4, tuple(ODD[3:7]))
    assert [ids.index(name) for name in ODD[2:8]] == [0, 1, 2, 3, 4, 0]
    assert ids.series.to_list() == ODD[3:7]
