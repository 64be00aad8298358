"""Read a log into numbers: ids as categories, times as int64, whether a row is rated enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import final

import polars as pl

from solidrec.data.columns import id_column, number_column
from solidrec.data.reject import finite_number, part_number
from solidrec.data.table import Table
from solidrec.data.times import Reading, best_reading, readings

_SAMPLE = 10_000


@final
@dataclass(frozen=True)
class RawLog:
    """A log as numbers, row by row, null where a value is bad.

    `rows` has user and item (categorical), time (int64), `split` (0, 1, 2) if the roles have it,
    `enough` if a least rating is asked for, and `row` if it is asked for. `needed` are the columns
    as in the file; `times` says how their times are read.
    """

    rows: pl.DataFrame
    needed: tuple[pl.Expr, ...]
    times: Reading


def read_log(
    table: Table,
    roles: Mapping[str, str],
    *,
    key: str | None,
    time_format: str | None,
    min_rating: float | None,
    numbered: bool,
) -> RawLog:
    """Read the columns of `roles`; `key` is the role that orders the rows, None their order.

    The first way of `times.readings` is tried; only if it leaves times unread, the others are.
    """
    ids = [id_column(table, roles[role], role) for role in ("user", "item")]
    more = [pl.col(roles["split"]).alias("split")] if "split" in roles else []
    if min_rating is not None or _is_number(table, roles.get("rating")):
        more.append(number_column(table, roles["rating"], "rating"))
    if key is None:
        time = pl.int_range(pl.len(), dtype=pl.Int64).alias("time")
        ways: tuple[Reading, ...] = (Reading(pl.col),)
    else:
        time = number_column(table, roles[key], "time")
        ways = readings(table.dtype(roles[key]), time_format)
    needed = (*ids, time, *more)

    def read(way: Reading) -> pl.DataFrame:
        numbers = partial(_numbers, way=way, min_rating=min_rating, numbered=numbered)
        return table.collect(*needed, then=numbers)

    way = ways[0]
    rows = read(way)
    for sample in (_SAMPLE, None):
        if len(ways) == 1 or not rows["time"].null_count():
            break
        better = best_reading(table, time, ways, sample)
        if better is not way:
            way, rows = better, read(better)
    return RawLog(rows, needed, way)


def _is_number(table: Table, column: str | None) -> bool:
    """Tell whether a column can be read as numbers; one of ratings that nobody reads need not."""
    return column is not None and (
        table.dtype(column).is_numeric() or table.dtype(column) in (pl.String, pl.Null)
    )


def _numbers(
    frame: pl.LazyFrame, *, way: Reading, min_rating: float | None, numbered: bool
) -> pl.LazyFrame:
    """Convert ids to categories, times to int64 (null if bad) and ratings to the flag `enough`."""
    numbers = [pl.col("user", "item").cast(pl.Categorical), way.read("time").alias("time")]
    if "split" in frame.collect_schema().names():
        numbers.append(part_number("split").alias("split"))
    if min_rating is not None:
        numbers.append((finite_number("rating") >= min_rating).alias("enough"))
    frame = frame.with_columns(numbers).drop("rating", strict=False)
    return frame.with_row_index("row") if numbered else frame
