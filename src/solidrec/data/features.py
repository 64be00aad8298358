"""Feature matrices that are given with an items file: one row for each item of the vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.arrays import Floats32
from solidrec.data.catalog import Catalog
from solidrec.data.files import kind_of
from solidrec.data.readers import Table
from solidrec.errors import DataError, StorageError, UsageError


def read_features(
    features: Mapping[str, Any],
    table: Table | None,
    catalog: Catalog,
    *,
    start: Literal[0, 1] | None,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return the matrix of each feature of a log, and its width and how many items have it.

    Raises `DataError` if no item of the log has one of them.
    """
    matrices, counts = {}, {}
    for name, given in sorted(features.items()):
        source, numbered = feature_source(given, table, catalog)
        matrices[name], counts[name] = read_feature(source, numbered, name=name, start=start)
        if not counts[name]["items"]:
            where = f"feature {name!r}" if isinstance(source, np.ndarray) else str(source)
            raise DataError(
                f"{where}: no item of the log has a row that is not all zero; does it belong to "
                "the items file?"
            )
    return matrices, counts


def read_feature(
    source: Path | str | npt.NDArray[Any], catalog: Catalog, *, name: str, start: int | None = None
) -> tuple[Floats32, dict[str, Any]]:
    """Return a (V+1, F) float32 feature matrix, zero in row 0 and for missing items, and its facts.

    `start` says whether ``item_idx`` of the items file counts from 0 or 1; if it is None, the
    numbers decide. Raises `DataError` for a matrix that is not 2-d, numeric and finite, or that
    fits neither numbering.
    """
    matrix, where = _matrix(source, name)
    rows = _feature_rows(catalog, matrix, where, start)
    known = catalog.rows >= 0
    out = np.zeros((len(catalog.rows) + 1, matrix.shape[1]), dtype=np.float32)
    # copy the rows of items in the items file; values that overflow float32 are refused below
    with np.errstate(over="ignore"):
        out[1:][known] = matrix[rows[catalog.rows[known]]]
    if not np.isfinite(out).all():
        raise DataError(
            f"{where}: holds NaN or infinite values; remove or impute them (all zeros = no such "
            "feature)"
        )
    missing = int(np.count_nonzero(~out[1:].any(axis=1)))
    return out, {"width": matrix.shape[1], "items": len(catalog.rows) - missing, "missing": missing}


def feature_source(
    given: Path | str | npt.NDArray[Any], table: Table | None, catalog: Catalog
) -> tuple[Path | str | npt.NDArray[Any], Catalog]:
    """Return the source and the catalogue to give to `read_feature`.

    If `given` names a column of the items table and no file, the source is that column, row by row.
    """
    if table is None or not isinstance(given, str | Path):
        return given, catalog
    if str(given) not in table.columns or Path(given).exists():
        return given, catalog
    return _vector_column(table, str(given)), replace(catalog, index=None)


def _vector_column(table: Table, column: str) -> Floats32:
    """Return a column of number lists as a matrix with one row for each row of the table.

    A null list gives a zero row. Raises `DataError` for a column of another type and for lists of
    different lengths.
    """
    dtype = table.dtype(column)
    if not isinstance(dtype, (pl.List, pl.Array)) or not dtype.inner.is_numeric():
        raise DataError(
            f"{table.name}: column {column!r} is of type {dtype}; lists of numbers are needed for "
            "a feature"
        )
    lists = table.collect(pl.col(column).cast(pl.List(pl.Float32)))[column]
    lengths = lists.list.len().fill_null(0)
    width = int(lengths.max() or 0)  # type: ignore[arg-type]
    odd = ((lengths != width) & (lengths != 0)).arg_true()
    if len(odd) or not width:
        row = int(odd[0]) if len(odd) else 0
        where = f"{table.place(row)}"
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


def _matrix(source: Path | str | npt.NDArray[Any], name: str) -> tuple[npt.NDArray[Any], str]:
    """Return the matrix of a path or an array, and its name for messages."""
    if isinstance(source, np.ndarray):
        matrix, where = source, f"feature {name!r}"
    else:
        where = str(source)
        if kind_of(Path(source)) != "file":
            raise StorageError(f"{where}: no such file; check the path of feature {name!r}")
        try:
            matrix = np.load(source, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise DataError(
                f"{where}: is not a plain .npy array ({error}); save it with numpy.save(..., "
                "allow_pickle=False)"
            ) from error
    found = type(matrix).__name__
    if isinstance(matrix, np.ndarray):
        if matrix.ndim == 2 and matrix.dtype.kind in "fiu" and matrix.size:
            return matrix, where
        found = f"{matrix.dtype} of shape {matrix.shape}"
    raise DataError(f"{where}: is {found}; a 2-d matrix of numbers, one row an item, is needed")


def _feature_rows(
    catalog: Catalog, matrix: npt.NDArray[Any], where: str, start: int | None
) -> npt.NDArray[np.int64]:
    """Return the matrix row of every row of the items file."""
    count, index = len(matrix), catalog.index
    if not catalog.file_rows:
        raise UsageError(f"{where}: features belong to an items file; give it with --items")
    if index is None:
        if count != catalog.file_rows:
            counts = f"has {count:,} rows, the items file {catalog.file_rows:,}"
            raise DataError(f"{where}: {counts}; add an item_idx column that says which is which")
        return np.arange(count)
    if (
        index.null_count()
        or index.n_unique() < catalog.facts["rows"] - catalog.facts["duplicate_items"]
    ):
        raise DataError(
            f"{where}: item_idx of the items file has empty or repeated values; number every item "
            "once"
        )
    numbers = index.to_numpy()
    low, high = int(numbers.min()), int(numbers.max())
    if start is None:
        start = _start(matrix, low, high)
    if start is None or not 0 <= low - start <= high - start < count:
        facts = f"item_idx runs from {low} to {high} and there are {count:,} rows"
        raise DataError(
            f"{where}: {facts}, which fits neither counting; say --feature-start 0 or 1, or "
            "repair item_idx"
        )
    return np.asarray(numbers - start, dtype=np.int64)


def _start(matrix: npt.NDArray[Any], low: int, high: int) -> int | None:
    """Return the item_idx of the first matrix row, 0 or 1, or None if the numbers fit neither."""
    count = len(matrix)
    if low == 0 and high < count:
        return 0
    if low == 1 and high == count:
        return 1
    # counted from 1, with a zero row for padding in front: item_idx is the matrix row itself
    padded = low == 1 and high + 1 == count and not np.any(matrix[0])
    return 0 if padded else None
