"""Arguments of the Python API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from solidrec.arguments import (
    as_count,
    as_histories,
    as_history,
    as_mapping,
    as_path,
    as_share,
    as_text,
    as_texts,
)
from solidrec.errors import StorageError, UsageError


@pytest.mark.parametrize("value", ["runs/a", Path("runs/a")])
def test_a_path_is_text_or_a_path(value: Any) -> None:
    assert as_path(value, "run") == Path("runs/a")


@pytest.mark.parametrize("value", [None, 3, b"run", ["run"], {}, "", "a\0b", "\ud800"])
def test_what_is_no_path_is_named_with_its_argument(value: Any) -> None:
    with pytest.raises(UsageError, match=r"^out="):
        as_path(value, "out")


def test_a_name_too_long_for_a_file_is_one_line_that_does_not_repeat_it() -> None:
    with pytest.raises(StorageError, match="5,000 characters") as found:
        as_path("a" * 5_000, "run")
    assert len(str(found.value)) < 200


@pytest.mark.parametrize("value", [1, 7, np.int64(3), np.uint8(3)])
def test_a_count_is_an_integer_of_any_kind(value: Any) -> None:
    found = as_count(value, "k")
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize("value", [0, -1, 2.5, 2.0, "2", None, True, [1], float("nan")])
def test_anything_else_is_no_count(value: Any) -> None:
    with pytest.raises(UsageError, match=r"^k=.*1 or more"):
        as_count(value, "k")


@pytest.mark.parametrize(
    "value",
    [
        ["1", "2"],
        [1, 2],
        ("1", 2),
        range(1, 3),
        iter(["1", "2"]),
        np.array([1, 2]),
        np.array(["1", "2"]),
        pl.Series([1, 2]),
        pd.Series(["1", "2"]),
    ],
)
def test_a_history_is_anything_ordered_of_texts_or_integers(value: Any) -> None:
    found = as_history(value)
    assert found == ["1", "2"]
    assert all(isinstance(item, str) for item in found)


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        "i1",
        b"i1",
        bytearray(b"i1"),
        {"i1"},
        frozenset({"i1"}),
        {"i1": 1},
        pl.DataFrame({"item": ["i1"]}),
        pd.DataFrame({"item": ["i1"]}),
        np.array([[1, 2]]),
        np.array(1),
    ],
)
def test_what_has_no_order_or_no_items_is_no_history(value: Any) -> None:
    with pytest.raises(UsageError, match=r"^history .*give a list of item ids"):
        as_history(value)


@pytest.mark.parametrize("item", [1.0, None, True, b"i1", ["i1"], float("nan")])
def test_ids_of_another_type_are_named_with_their_place(item: Any) -> None:
    with pytest.raises(UsageError, match=r"^history\[1\] is "):
        as_history(["i1", item])


@pytest.mark.parametrize("kind", [pl.DataFrame, pd.DataFrame, pl.LazyFrame])
def test_a_table_is_no_list_of_histories(kind: Any) -> None:
    """Of a table each column would be read as one history."""
    with pytest.raises(UsageError, match=r"^histories is a \w+Frame: give a list") as caught:
        as_histories(kind({"a": ["i1"], "b": ["i2"]}))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (as_share, [0, 1, 0.5, np.float32(0.5)], ["x", None, True, 1.1, float("nan"), []]),
        (as_text, ["", "a"], [5, b"a", None, "\ud800", ["a"]]),
        (as_texts, [["a"], ("a", "b"), []], ["a", 5, None, [5], {"a": 1}]),
        (as_mapping, [None, {}, {"a": 1}], [5, "a", [("a", 1)], {1: "a"}]),
    ],
)
def test_an_argument_of_another_kind_is_named(check: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        check(value, "x")
    for value in bad:
        with pytest.raises(UsageError, match=r"^x="):
            check(value, "x")
