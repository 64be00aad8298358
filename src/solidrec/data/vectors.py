"""Columns of an items file that hold lists of numbers, as matrices."""

from __future__ import annotations

import numpy as np
import polars as pl

from solidrec.arrays import Floats32
from solidrec.data.table import Table
from solidrec.errors import DataError

_NUMBERS = ("list", "list of integer", "list of number")
"""Kinds of a json column that is a feature, besides null."""


def vector_column(table: Table, column: str) -> Floats32:
    """Return a column of number lists as a matrix with one row for each row of the table.

    A null or empty list gives a zero row. Raises `DataError` for a column of another type, nested
    lists included, and for lists of different lengths.
    """
    lists = _lists(table, column)
    lengths = lists.list.len().fill_null(0)
    width = int(lengths.max() or 0)  # type: ignore[arg-type]
    odd = ((lengths != width) & (lengths != 0)).arg_true()
    if len(odd) or not width:
        row = int(odd[0]) if len(odd) else 0
        where = table.place(row)
        raise DataError(
            f"{where}: {column!r} has {lengths[row]:,} numbers, another row {width:,}; give lists "
            "of one length"
        )
    matrix = np.zeros((len(lists), width), dtype=np.float32)
    has = (lengths > 0).to_numpy()
    # a null inside a list becomes NaN, which `read_feature` refuses
    matrix[has] = (
        lists.filter(lengths > 0).explode().fill_null(float("nan")).to_numpy().reshape(-1, width)
    )
    return matrix


def _lists(table: Table, column: str) -> pl.Series:
    """Return the column as lists of floats."""
    dtype = table.dtype(column)
    for kind, place in table.kinds.get(column, {}).items():
        if kind not in _NUMBERS:
            raise DataError(
                f"{place}: {column!r} holds {kind}; a feature is a list of numbers in every row"
            )
    # json keeps its numbers as they are written
    as_text = isinstance(dtype, pl.List) and dtype.inner == pl.String and column in table.kinds
    if not isinstance(dtype, (pl.List, pl.Array)) or not (dtype.inner.is_numeric() or as_text):
        raise DataError(
            f"{table.name}: column {column!r} is of type {dtype}; lists of numbers are needed for "
            "a feature"
        )
    found = pl.col(column)
    if as_text:
        found = found.cast(pl.List(pl.Float64))
    return table.collect(found.cast(pl.List(pl.Float32)))[column]
