"""Which ids match, what is said of the others, and when that is an error."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest

from solidrec.data.matching import compare_ids, compare_new_items, compare_new_users, hardly_any
from solidrec.errors import DataError


def compare(items: list[str], rows: list[str]) -> tuple[str, ...]:
    found = compare_ids(pl.Series(items), pl.Series(rows, dtype=pl.String), name="/shop/items.csv")
    assert bool(found.written_otherwise) == any("differ from a row" in note for note in found.notes)
    return found.notes


def ids(*numbers: int, form: str = "{}") -> list[str]:
    return [form.format(number) for number in numbers]


@pytest.mark.parametrize(
    ("items", "rows"), [(["a", "b"], ["a", "b"]), (["a", "b"], ["c", "b", "a"])]
)
def test_where_every_item_has_a_row_nothing_is_said(items: list[str], rows: list[str]) -> None:
    assert compare(items, rows) == ()


def test_items_without_a_row_are_counted_beside_an_example_of_either_side() -> None:
    assert compare(["a", "b", "c"], ["a", "b", "x"]) == (
        "items.csv: 1 of 3 items of the log have no row; the log has 'c', the file 'x'",
    )
    assert compare(["a", "b", "c"], ["a"]) == (
        "items.csv: 2 of 3 items of the log have no row; the log has 'b'",
    )
    assert len(compare(["a"], [])) == 1  # a file without rows


@pytest.mark.parametrize(
    ("item", "row"),
    [
        ("007", "7"),
        ("B00X", "b00x"),
        ("a", " a"),
        ("7", "7.0"),
        ("caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")),
    ],
)
def test_ids_that_are_written_otherwise_are_shown_as_a_pair(item: str, row: str) -> None:
    with pytest.raises(DataError, match="no item of the log") as caught:
        compare([item, "x"], ["y", row])
    assert "1 of them differ from a row only by case, spaces, leading zeros" in str(caught.value)
    assert f"as {item!r} in the log does from {row!r} in the file" in str(caught.value)
    (note,) = compare([item, "x"], [row, "x"])
    assert f"as {item!r} in the log" in note
    assert note.endswith("write ids alike in both, or name their column by --items-id-column")


@pytest.mark.parametrize(
    ("matched", "items", "rows", "wrong"),
    [
        (0, 6, 6, True),
        (9, 100, 100, True),
        (10, 100, 100, False),
        (1, 1000, 1, False),  # one item is described
        (9, 1000, 100, True),
        (5, 5, 100_000, False),  # a few items of a whole shop
    ],
)
def test_few_are_few_of_the_smaller_side(matched: int, items: int, rows: int, wrong: bool) -> None:
    assert hardly_any(matched, items, rows) is wrong
    log = ids(*range(items), form="i{}")
    file = ids(*range(matched), form="i{}") + ids(*range(rows - matched), form="x{}")
    if wrong:
        with pytest.raises(DataError, match=r"of the log ha.* a row in it; the log has 'i"):
            compare(log, file)
    else:
        assert len(compare(log, file)) == (matched < items)


def test_less_than_half_is_an_error_where_the_others_are_written_otherwise() -> None:
    """Of 001..020 and 1..20, ten match nothing, but would without their zeros."""
    log, file = ids(*range(80, 120), form="{:03}"), ids(*range(80, 120))
    assert "20 of 40" in compare(log, file)[0]  # half of them match: 100 to 119
    log, file = ids(*range(70, 120), form="{:03}"), ids(*range(70, 120))
    with pytest.raises(DataError, match="only 20 of the 50 items of the log have a row in it; 30 "):
        compare(log, file)
    # as many without a row, but unlike any of the file's
    assert "30 of 50" in compare(ids(*range(50)), ids(*range(20), *range(500, 530)))[0]


def test_new_items_are_held_to_the_same_rule_and_new_users_are_no_error() -> None:
    log, known = pl.Series(ids(*range(10), form="{}.0")), pl.Series(ids(*range(10)))
    with pytest.raises(DataError, match=r"none of the 10 items .* '0.0' in the log .* '0' in the"):
        compare_new_items(log, known, name="/a/new.csv")
    (warning,) = compare_new_users(log, known, name="/a/new.csv")
    assert warning.startswith("warning: new.csv: 10 of 10 users of the log are new; 10 of them")
    few = pl.Series(["0", "x"])
    (note,) = compare_new_items(few, known, name="/a/new.csv")
    assert note.startswith("new.csv: 1 of 2 items of the log are new")
    assert compare_new_users(few, known, name="/a/new.csv") == ()
    assert compare_new_items(known, known, name="/a/new.csv") == ()
