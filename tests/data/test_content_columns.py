"""Columns of content: pictures are names, categories are lists of distinct labels."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from solidrec.data.catalog import Catalog, read_catalog
from solidrec.data.readers import read_table

ITEMS = pl.Series("item", ["a", "b", "c"])


def catalog(frame: pl.DataFrame, items: pl.Series = ITEMS, **options: Any) -> Catalog:
    return read_catalog(read_table(frame), items, columns={}, **options)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a.jpg", " ", None], ["a.jpg", None, None]),
        ([[None, "a.jpg", "b.jpg"], [], None], ["a.jpg", None, None]),
        ([1, 2, None], [None, None, None]),  # a number, bytes or a structure names no file
        ([{"path": "a.jpg"}, None, None], [None, None, None]),
        ([b"\xff\xd8", None, None], [None, None, None]),
    ],
)
@pytest.mark.parametrize("name", ["image", "image_path", "picture"])
def test_the_name_of_a_picture_is_kept(
    name: str, values: list[Any], expected: list[str | None]
) -> None:
    found = catalog(pl.DataFrame({"item": ["a", "b", "c"], name: values})).frame
    assert (found["image"].to_list(), found["image"].dtype) == (expected, pl.String)


def test_of_several_picture_columns_the_first_known_name_counts() -> None:
    frame = pl.DataFrame({"item": ["a"], "picture": ["p"], "image_path": ["i"]})
    assert catalog(frame).frame["image"][0] == "i"


@pytest.mark.parametrize(
    ("values", "separator", "expected"),
    [
        (["x, y,x", None, ""], ",", [["x", "y"], [], []]),
        (["x, y", None, " z "], None, [["x, y"], [], ["z"]]),
        ([["x", " y", "x", None, ""], [], None], None, [["x", "y"], [], []]),
        ([[["x", "y"], ["z", "x"]], [], None], None, [["x", "y", "z"], [], []]),
        ([[3, 5], [], None], None, [["3", "5"], [], []]),
    ],
)
def test_categories_become_lists_of_distinct_labels(
    values: list[Any], separator: str | None, expected: list[list[str]]
) -> None:
    found = catalog(
        pl.DataFrame({"item": ["a", "b", "c"], "genres": values}), category_separator=separator
    )
    assert found.frame["categories"].to_list() == expected


def test_the_first_recognised_category_column_wins() -> None:
    found = catalog(
        pl.DataFrame(
            {"item": ["a"], "genres": ["g"], "categories_flat": ["f"], "categories": ["c"]}
        )
    )
    assert found.frame["categories"].to_list()[0] == ["c"]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("['Pans, small', 'C0']", ["Pans, small", "C0"]),
        ('["a", "b", "a"]', ["a", "b"]),
        (" ['a', ['b', None]] ", ["a", "b"]),
        ("[]", []),
        ("plain, text", ["plain, text"]),
        ("['Pans', nan]", ["Pans"]),
        ("[1, 2]", ["1", "2"]),
        ("['Pans' 'Pots'\n 'Lids']", ["Pans", "Pots", "Lids"]),  # as numpy prints arrays
        # no lists of labels: they stay what they are
        ("[sale] pans [new]", ["[sale] pans [new]"]),
        ("['a', f()]", ["['a', f()]"]),
    ],
)
def test_a_category_that_writes_a_list_is_that_list(text: str, labels: list[str]) -> None:
    table = read_table(pl.DataFrame({"item": ["a", "b"], "category": [text, "x"]}))
    found = read_catalog(table, pl.Series(["a", "b"]), columns={}).frame["categories"]
    assert found.to_list() == [labels, ["x"]]
    split = read_catalog(table, pl.Series(["a", "b"]), columns={}, category_separator="/")
    assert split.frame["categories"].to_list() == [[text.strip()], ["x"]]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("['Pans', 'small']", "Pans small"),
        ("['Pans' nan\n 'small']", "Pans small"),  # as numpy prints arrays
        ('["Levi\'s"]', "Levi's"),
        ("[]", None),
        # no lists of words: they stay what they are
        ("[2024]", "[2024]"),
        ("[Rec]", "[Rec]"),
        ("['a'] and ['b']", "['a'] and ['b']"),
    ],
)
def test_a_title_that_writes_a_list_is_joined_as_the_list_is(text: str, title: str | None) -> None:
    frame = pl.DataFrame({"item": ["a", "b", "c"], "title": [text, "x", None]})
    assert catalog(frame).frame["title"].to_list() == [title, "x", None]
