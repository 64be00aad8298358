"""Feature matrices that are given with an items file: one row for each item of the vocabulary."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Floats32
from solidrec.data.catalog import Catalog
from solidrec.data.matching import hardly_any
from solidrec.data.npy import map_npy
from solidrec.data.table import Table
from solidrec.data.vectors import vector_column
from solidrec.errors import DataError, StorageError, UsageError


class _Features(NamedTuple):
    """Matrices by name, facts about each for the manifest, and lines on what deserves a look."""

    matrices: dict[str, Floats32]
    facts: dict[str, Any]
    notes: tuple[str, ...]


def check_given(features: object) -> None:
    """Raise `UsageError` unless features are named paths, columns or arrays."""
    if not isinstance(features, Mapping):
        raise UsageError(
            f"features are a {type(features).__name__}; give a mapping, "
            "for example {'image': 'clip.npy'}"
        )
    for name, given in features.items():
        # the numbers beneath a mask are none to read
        if not isinstance(given, str | Path | np.ndarray) or isinstance(given, np.ma.MaskedArray):
            raise UsageError(
                f"feature {name!r} is a {type(given).__name__}; give a .npy file, the name of a "
                "column of the items file, or a NumPy array (numpy.asarray makes one)"
            )


def read_features(
    features: Mapping[str, Any],
    table: Table | None,
    catalog: Catalog,
    *,
    start: Literal[0, 1] | None,
) -> _Features:
    """Return the matrix of each feature of a log, and its width and how many items have it.

    Raises `DataError` if hardly any item of the log has one of them.
    """
    found = _Features({}, {}, ())
    for name, given in sorted(features.items()):
        source, numbered = feature_source(given, table, catalog)
        matrix, facts = read_feature(source, numbered, name=name, start=start)
        found.matrices[name], found.facts[name] = matrix, facts
        if facts["missing"]:
            where = f"feature {name!r}" if isinstance(source, np.ndarray) else str(source)
            _check_enough(matrix, _matrix(source, name)[0], facts["items"], where=where)
            item = catalog.frame["item"][int((~matrix[1:].any(axis=1)).argmax())]
            found = found._replace(
                notes=(
                    *found.notes,
                    f"feature {name!r}: {facts['missing']:,} of {len(matrix) - 1:,} items of the "
                    f"log have no row or one of zeros, for example {item!r}",
                )
            )
    return found


def _check_enough(out: Floats32, given: npt.NDArray[Any], items: int, *, where: str) -> None:
    """Raise `DataError` if hardly any item has a row of the matrix `given`."""
    if not items:
        raise DataError(
            f"{where}: no item of the log has a row that is not all zero; does it belong to the "
            "items file?"
        )
    if hardly_any(items, len(out) - 1, len(given)):
        rows = int(np.count_nonzero(given.any(axis=1)))
        if hardly_any(items, len(out) - 1, rows):
            raise DataError(
                f"{where}: only {items:,} of the {len(out) - 1:,} items of the log have one of its "
                f"{rows:,} rows; does it belong to the items file?"
            )


def read_feature(
    source: Path | str | npt.NDArray[Any], catalog: Catalog, *, name: str, start: int | None = None
) -> tuple[Floats32, dict[str, Any]]:
    """Return a (V+1, F) float32 feature matrix, zero in row 0 and for missing items, and its facts.

    `start` says whether ``item_idx`` of the items file counts from 0 or 1; if it is None, the
    numbers decide. Raises `DataError` for a matrix that is not 2-d, numeric and finite, that
    float32 cannot hold, or that fits neither numbering.
    """
    matrix, where = _matrix(source, name)
    rows = _feature_rows(catalog, matrix, where, start)
    known = catalog.rows >= 0
    out = np.zeros((len(catalog.rows) + 1, matrix.shape[1]), dtype=np.float32)
    # copy the rows of items in the items file; values that overflow float32 are refused below
    chosen = matrix[rows[catalog.rows[known]]]
    with np.errstate(over="ignore", under="ignore"):
        out[1:][known] = chosen
    if not np.isfinite(out).all():
        raise DataError(
            f"{where}: holds NaN or infinite values, or some beyond 3e38; remove, impute or scale "
            "them (all zeros = no such feature)"
        )
    if (chosen.any(axis=1) & ~out[1:][known].any(axis=1)).any():
        raise DataError(
            f"{where}: holds rows of values so near zero (below 1e-45) that they would vanish in "
            "float32; scale them"
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
    if str(given) not in table.columns or os.path.exists(given):
        return given, catalog
    return vector_column(table, str(given)), replace(catalog, index=None)


def _matrix(source: Path | str | npt.NDArray[Any], name: str) -> tuple[npt.NDArray[Any], str]:
    """Return the matrix of a path or an array, and its name for messages."""
    if isinstance(source, np.ndarray):
        matrix, where = np.asarray(source), f"feature {name!r}"
    else:
        where = str(source)
        if not os.path.isfile(source):  # also of a name that no file can have
            raise StorageError(
                f"{where}: no such file, and no column of the items file; check feature {name!r}"
            )
        matrix = map_npy(Path(source))
    if matrix.ndim == 2 and matrix.dtype.kind in "fiu" and matrix.size:
        return matrix, where
    kind = "records" if matrix.dtype.fields else str(matrix.dtype)
    raise DataError(
        f"{where}: is {kind} of shape {matrix.shape}; a 2-d matrix of numbers, one row an item, is "
        "needed"
    )


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
