"""The places of a table's rows, and its errors."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from solidrec.data.table import Place, Table
from solidrec.errors import DataError


def test_a_place_is_a_file_and_a_line() -> None:
    table = Table(pl.LazyFrame({"a": [1, 2]}), "log.csv", first_row=2)
    assert table.places([1, 0]) == [Place("log.csv", 3), Place("log.csv", 2)]
    assert table.place(1) == "log.csv:3"


def test_rows_that_lie_elsewhere_are_located_by_their_reader() -> None:
    def locate(rows: Sequence[int]) -> list[Place]:
        return [Place("other.csv", 10 * row) for row in rows]

    table = Table(pl.LazyFrame({"a": [1]}), "log.csv", locate=locate)
    assert table.place(3) == "other.csv:30"


def test_an_error_names_the_part_that_is_broken() -> None:
    fine = Table(pl.LazyFrame({"a": ["1"]}), "fine.csv")
    broken = Table(
        pl.LazyFrame({"a": ["x"]}).with_columns(pl.col("a").cast(pl.Int64)), "broken.csv"
    )
    frame = pl.concat([fine.frame.cast(pl.Int64), broken.frame])
    with pytest.raises(DataError, match=r"broken.csv: cannot be read"):
        Table(frame, "both", parts=(fine, broken)).collect(pl.col("a"))
