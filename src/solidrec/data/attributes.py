"""The columns of an items file that training does not read, kept for the rules of requests."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

from solidrec.data.columns import listed_columns
from solidrec.data.table import Table

_TRUTHS = {"true": True, "false": False}


def attribute_columns(table: Table, unread: Collection[str]) -> list[str]:
    """Return the columns among `unread` that hold a number, a text, a truth or a time an item."""
    return [
        name
        for name in table.columns
        if name in unread and name not in table.repeated and _is_value(table.dtype(name))
    ]


def _is_value(dtype: Any) -> bool:
    kept = (pl.String, pl.Boolean, pl.Categorical, pl.Enum)
    return isinstance(dtype, kept) or dtype.is_numeric() or dtype.is_temporal()


def kept_note(table: Table, kept: list[str]) -> tuple[str, ...]:
    """Return a note that names the columns which are kept, if there are any."""
    if not kept:
        return ()
    shown = listed_columns(kept)
    return (
        f"{Path(table.name).name}: training does not read the columns {shown}; "
        "they are kept for filters",
    )


def typed(column: pl.Series) -> pl.Series:
    """Return a column as the values that its texts write: whole numbers, numbers, truths or texts.

    Files of text have no types. A text with leading zeros stays a text, since it is an id. Blank
    texts and NaN are null.

    >>> typed(pl.Series(["1", " 2.5", ""])).to_list()
    [1.0, 2.5, None]
    >>> typed(pl.Series(["007", "1"])).to_list()
    ['007', '1']
    """
    if column.dtype.is_float():
        return column.fill_nan(None)
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        column = column.cast(pl.String)
    if column.dtype != pl.String:
        return column
    text = column.str.strip_chars()
    filled = text.filter(text != "")
    text = pl.select(pl.when(text != "").then(text)).to_series().alias(column.name)
    if not len(filled):
        return text
    if filled.str.to_lowercase().is_in(list(_TRUTHS)).all():
        return text.str.to_lowercase().replace_strict(
            _TRUTHS, default=None, return_dtype=pl.Boolean
        )
    if filled.str.contains(r"^[+-]?(0|[1-9]\d{0,17})$").all():
        return text.cast(pl.Int64)
    if filled.str.contains(r"^[+-]?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?$").all():
        number = text.cast(pl.Float64, strict=False)
        if number.is_finite().sum() == len(filled):
            return number
    return text


def joined_attributes(
    kept: pl.DataFrame | None, new: pl.DataFrame | None, count: int
) -> pl.DataFrame | None:
    """Return the attributes `kept` with those of `count` new items, null where they have none."""
    if kept is None:
        return None
    given = [] if new is None else [name for name in kept.columns if name in new.columns]
    shared = (
        new.select(given)
        if new is not None and given
        else pl.DataFrame({kept.columns[0]: [None] * count})
    )
    texts = [  # of kinds that have no common type
        name
        for name in shared.columns
        if kept[name].dtype != shared[name].dtype
        and not (kept[name].dtype.is_numeric() and shared[name].dtype.is_numeric())
        and shared[name].null_count() < count
    ]
    both = [frame.with_columns(pl.col(texts).cast(pl.String)) for frame in (kept, shared)]
    return pl.concat(both, how="diagonal_relaxed")
