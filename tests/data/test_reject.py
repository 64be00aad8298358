"""Every reason to reject a row by a plain loop over values, and how the rows are listed."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from solidrec.data.readers import read_table
from solidrec.data.reject import SHOWN, finite_number, id_checks, judge, reasons, whole_number
from solidrec.data.table import Table
from solidrec.errors import DataError


def values(expression: pl.Expr, given: list[Any], dtype: Any = None) -> list[Any]:
    return (
        pl.DataFrame({"x": pl.Series(given, dtype=dtype)}).select(expression).to_series().to_list()
    )


def first_true(frame: pl.DataFrame, role: str) -> list[str | None]:
    checks = [pl.when(bad).then(pl.lit(name)) for name, bad in id_checks(role)]
    return frame.select(pl.coalesce(checks)).to_series().to_list()


def test_an_id_is_rejected_where_it_is_empty_long_or_has_a_control_character() -> None:
    ids = [None, "", " ", "a", "a b", "a\tb", "é" * 128, "é" * 128 + "x"]
    expected = [*["null_item"] * 3, None, None, "control_item", None, "long_item"]
    assert first_true(pl.DataFrame({"item": ids}), "item") == expected


def test_a_whole_number_is_exact_or_nothing() -> None:
    texts = ["3", "-3", "3.0", "1e3", "3.5", "nan", "inf", "x", None, str(2**63 - 1), "1e19"]
    exact = [3, -3, 3, 1000, None, None, None, None, None, 2**63 - 1, None]
    assert values(whole_number("x", pl.String()), texts) == exact
    floats = [2.0, 2.5, float(2**53), float(2**53 - 1), float("nan")]
    assert values(whole_number("x", pl.Float64()), floats) == [2, None, None, 2**53 - 1, None]
    assert values(whole_number("x", pl.UInt64()), [7, 2**63], pl.UInt64) == [7, None]


def test_a_finite_number_is_neither_text_nor_infinite() -> None:
    found = values(finite_number("x"), ["4.5", "-1", "good", "nan", "inf", None])
    assert found == [4.5, -1.0, None, None, None, None]


def test_a_row_has_the_first_of_its_reasons() -> None:
    """In the order user, item, time, rating; a rating that nobody reads may say anything."""
    rows = [
        ("u", "i", "1", "5", None),
        ("", None, "x", "x", "null_user"),
        ("u", None, "x", "x", "null_item"),
        ("u", "i", " ", "x", "null_time"),
        ("u", "i", "x", "x", "bad_time"),
        ("u", "i", "1", "", "null_rating"),
        ("u", "i", "1", "x", "bad_rating"),
    ]
    raw = pl.DataFrame([row[:4] for row in rows], ["user", "item", "time", "rating"], orient="row")
    expected = [row[4] for row in rows]
    assert raw.select(reasons(raw, rated=True)).to_series().to_list() == expected
    unrated = [reason and (None if "rating" in reason else reason) for reason in expected]
    assert raw.select(reasons(raw, rated=False)).to_series().to_list() == unrated


def table() -> Table:
    return read_table(pl.DataFrame({"user": ["u"]}))


def rejected(*rows: tuple[int, str, str | None]) -> pl.DataFrame:
    """Rows of number, reason and value; the value stands in every column."""
    names = ("user", "item", "time", "rating")
    listed = [(row, reason, *[value] * 4) for row, reason, value in rows]
    schema = {"row": pl.Int64, "reason": pl.String, **dict.fromkeys(names, pl.String)}
    return pl.DataFrame(listed, schema, orient="row")


def test_the_rows_of_each_reason_are_listed_with_what_is_wrong() -> None:
    found = rejected((0, "null_user", None), (4, "bad_time", "x" * 50), (2, "null_user", None))
    with pytest.raises(DataError) as caught:
        judge(found, 9, table(), None)
    assert str(caught.value) == (
        "DataFrame: 3 bad rows: null_user (2): DataFrame:1, DataFrame:3; "
        f"bad_time (1, neither a whole number nor a date): DataFrame:5 {'x' * 40!r}; "
        "repair them or set them aside with --on-bad-row quarantine"
    )


def test_no_more_rows_are_listed_than_can_be_read() -> None:
    for count, more in ((SHOWN, ""), (SHOWN + 1, ", ...")):
        with pytest.raises(DataError) as caught:
            judge(rejected(*[(row, "null_item", None) for row in range(count)]), 99, table(), None)
        shown = ", ".join(f"DataFrame:{row + 1}" for row in range(SHOWN))
        assert f"null_item ({count}): {shown}{more}; repair" in str(caught.value)


def test_as_many_rows_as_the_fraction_allows_pass() -> None:
    judge(rejected(), 0, table(), None)
    two = rejected((0, "null_user", None), (1, "null_user", None))
    judge(two, 200, table(), 0.01)
    with pytest.raises(
        DataError, match=r"2 of 199 rows are bad, more than --max-bad-fraction 0.01"
    ):
        judge(two, 199, table(), 0.01)
