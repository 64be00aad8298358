"""Tell tables from other objects, and copy pandas frames exactly, without pyarrow where it goes."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from solidrec.errors import DataError, UsageError

_SEQUENCES = (list, tuple, np.ndarray)


def frame_of(source: Any) -> tuple[pl.LazyFrame, str]:
    """Return a polars or pandas frame as a lazy frame, and its name for messages.

    Raises `UsageError` for any other object, and `DataError` for a pandas frame that has a column
    name twice.
    """
    if isinstance(source, pl.DataFrame):
        return source.lazy(), "DataFrame"
    if isinstance(source, pl.LazyFrame):
        return source, "LazyFrame"
    # who has a pandas frame has imported pandas
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(source, pandas.DataFrame):
        return _from_pandas(source).lazy(), "DataFrame"
    kind = type(source)
    module = kind.__module__.partition(".")[0]
    name = kind.__qualname__ if module == "builtins" else f"{module} {kind.__qualname__}"
    raise UsageError(
        f"a table is a path or a polars or pandas DataFrame, not a {name}; convert it, for example "
        "with polars.DataFrame(...) or polars.from_arrow(...)"
    )


def _from_pandas(frame: Any) -> pl.DataFrame:
    """Copy a pandas frame; columns that polars has no type for stay objects, which nothing uses."""
    names = [str(name) for name in frame.columns]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"DataFrame: has column {twice[0]!r} more than once; keep one of each name, for "
            "example with frame.loc[:, ~frame.columns.duplicated()]"
        )
    return pl.DataFrame(
        [_series(frame.iloc[:, place]).alias(name) for place, name in enumerate(names)]
    )


def _series(column: Any) -> pl.Series:
    """Copy a pandas column by its kind."""
    dtype = column.dtype
    if type(dtype).__name__ == "CategoricalDtype":
        codes = column.cat.codes.to_numpy().astype(np.int64)
        return _series(column.cat.categories.to_series()).gather(pl.Series(codes).replace(-1, None))
    if type(dtype).__name__ == "ArrowDtype":
        return pl.Series(column.array.__arrow_array__())
    if type(dtype).__name__ == "DatetimeTZDtype":
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufbmM":
        return _numpy(column.to_numpy())
    if hasattr(dtype, "numpy_dtype"):  # nullable numbers, whose gaps would turn them into floats
        numbers = column.to_numpy(dtype=dtype.numpy_dtype, na_value=dtype.numpy_dtype.type(0))
        return pl.Series(numbers).set(pl.Series(column.isna().to_numpy()), None)
    return _objects(column)


def _numpy(values: Any) -> pl.Series:
    """Copy a numpy array; polars has no type for dates and spans of whole seconds."""
    if values.dtype.kind in "mM" and np.datetime_data(values.dtype)[0] == "s":
        fine = values.astype(values.dtype.str.replace("[s]", "[ms]"))
        if not (fine.astype(values.dtype) == values)[~np.isnat(values)].all():
            return pl.Series(list(values), dtype=pl.Object)
        values = fine
    return pl.Series(values)


def _objects(column: Any) -> pl.Series:
    """Copy a column of Python objects; one that mixes kinds stays objects."""
    values = [None if _gone(value) else value for value in column.to_numpy(dtype=object)]
    names = {type(value).__name__ for value in values if value is not None}
    if column.dtype == object and names == {"Timestamp"}:  # with nanoseconds
        times = _timestamps(column)
        if times.dtype != object:
            return _series(times)
    if names == {"ndarray"} and (vectors := _vectors(values)) is not None:
        return vectors
    values = [_plain(value) for value in values]
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) <= 1:
        try:
            if kinds == {list}:
                return _lists(values)
            _check_times(values)
            return pl.Series(values, strict=True)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            pass  # a type that polars does not know
    return pl.Series(values, dtype=pl.Object)


def _timestamps(column: Any) -> Any:
    """Return a column of Timestamps as one of a type of times if it has one, UTC if need be."""
    column = column.infer_objects()
    if column.dtype == object and all(time.tzinfo is not None for time in column.dropna()):
        column = column.map(lambda time: time.tz_convert("UTC"), na_action="ignore")
    return column


def _check_times(values: Sequence[Any]) -> None:
    """Raise `TypeError` for what polars would change: a mix with and without zone, nanoseconds."""
    times = [value for value in values if isinstance(value, datetime)]
    if len({time.tzinfo is None for time in times}) > 1:
        raise TypeError("times with and without a zone")
    if any(getattr(time, "nanosecond", 0) for time in times):
        raise TypeError("times with nanoseconds")


def _vectors(arrays: Sequence[Any]) -> pl.Series | None:
    """Copy arrays of numbers without an object for each number, or return None for others."""
    kinds = {(array.dtype, array.ndim) for array in arrays if array is not None}
    if len(kinds) > 1 or not all(dtype.kind in "iuf" and ndim == 1 for dtype, ndim in kinds):
        return None
    return pl.Series([None if array is None else pl.Series(array) for array in arrays])


def _gone(value: Any) -> bool:
    """Tell whether pandas counts a value as missing: None, NaN, NaT, NA."""
    return value is None or not (isinstance(value, _SEQUENCES) or _is_equal(value))


def _is_equal(value: Any) -> bool:
    """Tell whether a value equals itself, as all but NaN, NaT and NA do."""
    try:
        return bool(value == value)
    except (TypeError, ValueError):  # NA == NA is neither true nor false
        return type(value).__name__ != "NAType"


def _plain(value: Any) -> Any:
    """Return a sequence as a list of plain values, and a scalar of numpy as that of Python."""
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        return [None if _gone(part) else _plain(part) for part in value]
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value


def _lists(values: Sequence[list[Any] | None]) -> pl.Series:
    """Copy lists; polars alone would take the type from the first one, which may be empty."""
    inner = _inner_type([part for value in values if value is not None for part in value])
    return pl.Series(values, dtype=pl.List(inner), strict=True)


def _inner_type(parts: Sequence[Any]) -> Any:
    parts = [part for part in parts if part is not None]
    kinds = {type(part) for part in parts}
    if kinds == {list}:
        return pl.List(_inner_type([inner for part in parts for inner in part]))
    if kinds == {int, float}:
        return pl.Float64
    if len(kinds) > 1:
        raise TypeError("a list that mixes kinds")
    _check_times(parts)
    return pl.Series(parts, strict=True).dtype if parts else pl.String
