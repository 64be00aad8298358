"""A log as numbers, row by row."""

from __future__ import annotations

from typing import Any

import polars as pl

from solidrec.data.read_log import RawLog, read_log
from solidrec.data.readers import read_table


def raw(times: list[Any], **options: Any) -> RawLog:
    frame = pl.DataFrame({"u": ["a"] * len(times), "i": ["x"] * len(times), "t": times})
    frame = frame.with_columns(r=pl.Series(["5"] * (len(times) - 1) + ["?"]))
    settings = {"time_format": None, "min_rating": None, "numbered": False, "key": "time"} | options
    roles = {"user": "u", "item": "i", "time": "t", "rating": "r"}
    return read_log(read_table(frame), roles, **settings)


def test_times_are_numbers_and_null_where_they_are_bad() -> None:
    assert raw(["1", "x", None]).rows["time"].to_list() == [1, None, None]
    assert raw(["1", "2.5", "x"]).rows["time"].to_list() == [1_000_000, 2_500_000, None]


def test_a_fraction_behind_the_first_rows_counts_too() -> None:
    times = [*map(str, range(20_000)), "0.5"]
    assert raw(times).rows["time"].to_list() == [*(n * 10**6 for n in range(20_000)), 500_000]


def test_the_rows_are_the_order_without_a_key() -> None:
    assert raw(["9", "x", "1"], key=None).rows["time"].to_list() == [0, 1, 2]


def test_ratings_become_a_flag_and_rows_are_numbered_on_request() -> None:
    rows = raw(["3", "4"], min_rating=5.0, numbered=True).rows
    assert rows["enough"].to_list() == [True, None]
    assert rows["row"].to_list() == [0, 1]
    assert raw(["3", "4"]).rows.columns == ["user", "item", "time"]
