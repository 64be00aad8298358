"""Several files as one log: found by a list or a pattern, read as one table."""

from __future__ import annotations

import glob
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl

from solidrec.data.files import kind_of, shown
from solidrec.data.table import Place, Table
from solidrec.errors import DataError, StorageError, UsageError


def paths_of(source: Any) -> list[Path] | None:
    """Return the files of a list of paths or of a pattern such as ``log-*.csv``, else None.

    The files of a pattern are in the order of their names. A file that is called like a pattern is
    that file. Raises `StorageError` for a pattern without a file, `UsageError` for a list of
    anything else than paths.
    """
    if isinstance(source, list | tuple):
        if not source or not all(isinstance(each, str | Path) for each in source):
            raise UsageError(
                "several tables are a list of paths; concatenate frames, for example with "
                "polars.concat(...)"
            )
        return [path for each in source for path in paths_of(each) or [Path(each)]]
    if not isinstance(source, str | Path) or not glob.has_magic(str(source)):
        return None
    if kind_of(Path(source)) != "no such file":
        return None
    found = [Path(name) for name in sorted(glob.glob(str(source), recursive=True))]
    files = [path for path in found if kind_of(path) == "file"]
    if not files:
        raise StorageError(f"{shown(source)}: no such file, and no file fits it as a pattern")
    return files


def joined(tables: Sequence[Table]) -> Table:
    """Return the rows of several tables as one, in their order; every place names its own file.

    A column that a table lacks is null there. Raises `DataError` for a column whose type differs.
    """
    if len(tables) == 1:
        return tables[0]
    _check_types(tables)
    frame = pl.concat([table.frame for table in tables], how="diagonal_relaxed")
    kinds: dict[str, dict[str, str]] = {}
    for table in reversed(tables):
        for column, places in table.kinds.items():
            kinds[column] = kinds.get(column, {}) | dict(places)
    return Table(
        frame,
        f"{tables[0].name} and {len(tables) - 1} more",
        kinds=kinds,
        notes=tuple(note for table in tables for note in table.notes),
        delimited=any(table.delimited for table in tables),
        repeated=frozenset[str]().union(*(table.repeated for table in tables)),
        locate=_Places(tables),
        parts=tuple(tables),
    )


class _Places:
    """The places of records by their number in all tables together."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self.tables = tables

    def __call__(self, rows: Sequence[int]) -> list[Place]:
        sizes = [int(table.collect(pl.len().alias("rows"))["rows"][0]) for table in self.tables]
        begins = [0, *accumulate(sizes)]
        own: dict[int, list[int]] = {}
        for row in rows:
            number = bisect_right(begins, row) - 1
            own.setdefault(number, []).append(row - begins[number])
        found = {
            begins[number] + row: place
            for number, inside in own.items()
            for row, place in zip(inside, self.tables[number].places(inside), strict=True)
        }
        return [found[row] for row in rows]


def _check_types(tables: Sequence[Table]) -> None:
    """Refuse columns whose types differ, but for integers of several widths and empty columns."""
    first: dict[str, tuple[str, pl.DataType]] = {}
    for table in tables:
        for column in table.columns:
            dtype = table.dtype(column)
            name, other = first.setdefault(column, (table.name, dtype))
            same = dtype == other or (dtype.is_integer() and other.is_integer())
            if not same and pl.Null not in (dtype, other):
                raise DataError(
                    f"{table.name}: column {column!r} is of type {dtype}, in {name} of type "
                    f"{other}; make them alike"
                )
