"""Logs with one row a user and a list of items: made into one row an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from solidrec.data.columns import INTERACTIONS, entry_kinds, find_columns
from solidrec.data.datasets.literals import list_of
from solidrec.data.table import Place, Table
from solidrec.errors import DataError

SEQUENCES = {"sequence": ("sequence", "items", "item_sequence")}


def unrolled(
    table: Table, columns: Mapping[str, str | None]
) -> tuple[Table, Mapping[str, str | None], bool]:
    """Return a table with one row an event, the names of its columns, and whether it was unrolled.

    A table without a column of items, but with one of sequences, is unrolled: its lists become
    rows, in order, and lists of times of the same lengths along with them. Every row has the place
    of its user's row. An empty list stays, as a row without an item. Raises `DataError` for a
    column that holds no lists, or lists of lists.
    """
    items = find_columns(table, {"item": INTERACTIONS["item"]}, {}, required=())
    if columns.get("sequence") is None and (items or columns.get("item") is not None):
        return table, columns, False
    found = find_columns(table, SEQUENCES, columns, required=())
    if not found:
        return table, columns, False
    name = found["sequence"]
    times = find_columns(table, {"time": INTERACTIONS["time"]}, columns, required=())
    lists = [name, *(time for time in times.values() if _is_list(table.dtype(time)))]
    frame = table.frame.with_columns(_lists(table, column) for column in lists)

    rows = frame.explode(lists, empty_as_null=True, keep_nulls=True)

    def locate(numbers: Sequence[int]) -> list[Place]:
        sizes = Table(frame, table.name).collect(pl.col(name).list.len().fill_null(0).alias("size"))
        ends = np.cumsum(np.maximum(sizes["size"].to_numpy(), 1))
        return table.places(np.searchsorted(ends, np.asarray(numbers), side="right").tolist())

    kinds = {
        column: entry_kinds(kinds) if column in lists else kinds
        for column, kinds in table.kinds.items()
    }
    return (replace(table, frame=rows, kinds=kinds, locate=locate), {**columns, "item": name}, True)


def _is_list(dtype: pl.DataType) -> bool:
    return isinstance(dtype, (pl.List, pl.Array))


def _lists(table: Table, column: str) -> pl.Expr:
    """Return a column as lists; text must write a list, as tables of Python objects do in csv."""
    dtype: Any = table.dtype(column)
    if (place := table.kinds.get(column, {}).get("list of list")) is not None:
        raise DataError(
            f"{place}: column {column!r} holds a list in a list; write one flat list in each row"
        )
    if isinstance(dtype, pl.Array):
        return pl.col(column).cast(pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        return pl.col(column)
    if isinstance(dtype, pl.String):
        return pl.col(column).map_batches(
            lambda text: _written(table, column, text), return_dtype=pl.List(pl.String)
        )
    raise DataError(
        f"{table.name}: column {column!r} is of type {dtype}, a sequence is a list of item ids; "
        "give lists, or name the column of single items with --item-column"
    )


def _written(table: Table, column: str, text: pl.Series) -> pl.Series:
    """Return the lists that texts write."""
    lists = [None if each is None else list_of(each) for each in text]
    wrong = next(
        (each for each, made in zip(text, lists, strict=True) if each is not None and made is None),
        None,
    )
    if wrong is not None:
        raise DataError(
            f"{table.name}: column {column!r} has {wrong[:40]!r}, a sequence is a list of item ids "
            "such as ['a', 'b']; give lists, or name the column of single items with --item-column"
        )
    return pl.Series(lists, dtype=pl.List(pl.String))
