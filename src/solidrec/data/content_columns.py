"""Columns of content as an items file has them: text, picture names and categories."""

from __future__ import annotations

from typing import Any

import polars as pl

from solidrec.data.datasets.literals import labels_of
from solidrec.data.table import Table
from solidrec.errors import DataError

_BRACKETS = r"(?s)^\s*\[.*\]\s*$"
_WORDS = r"""(?s)^\s*\[(?:.*['"].*|\s*)\]\s*$"""


def text_column(table: Table, column: str | None) -> pl.Expr:
    """Return a text column: blank text becomes null, a list of words or paragraphs one text.

    That goes for text that writes a list of them too, as in csv files.
    """
    if column is None:
        return pl.lit(None, pl.String)
    text, dtype = _value(table, column)
    if isinstance(dtype, pl.List):
        text = text.cast(pl.List(pl.String)).list.join(" ")
    else:
        text = text.cast(pl.String).map_batches(_joined, return_dtype=pl.String)
    return pl.when(text.str.strip_chars() != "").then(text)


def image_column(table: Table, column: str | None) -> pl.Expr:
    """Return the picture name of each item, the first of a list; null if the column is not text."""
    if column is None or not is_name(table.dtype(column)):
        return pl.lit(None, pl.String)
    name, dtype = _value(table, column)
    if isinstance(dtype, pl.List):
        name = name.list.drop_nulls().list.first()
    name = name.cast(pl.String)
    return pl.when(name.str.strip_chars() != "").then(name)


def is_name(dtype: Any) -> bool:
    """Return whether a column of this type can name pictures."""
    text = dtype.inner if isinstance(dtype, pl.List | pl.Array) else dtype
    return isinstance(text, (pl.String, pl.Categorical, pl.Enum))


def category_column(table: Table, column: str | None, separator: str | None) -> pl.Expr:
    """Return lists of distinct labels.

    Without a separator a string is one label, unless it writes a list of labels, as tables of
    Python objects do in csv files.
    """
    if column is None:
        return pl.lit([], pl.List(pl.String))
    labels, dtype = _value(table, column)
    if not isinstance(dtype, pl.List):
        text = labels.cast(pl.String)
        labels = (
            text.str.split(separator)
            if separator
            else text.map_batches(_label_lists, return_dtype=pl.List(pl.String))
        )
    else:
        labels = labels.cast(pl.List(pl.String))
    labels = labels.list.eval(pl.element().str.strip_chars())
    return labels.list.eval(pl.element().filter(pl.element() != "")).list.unique(
        maintain_order=True
    )


def _label_lists(text: pl.Series) -> pl.Series:
    """Return each text as a list of one label, or as the list that it writes."""
    single = text.to_frame("text").select(pl.concat_list("text")).to_series()
    lists = _lists_of(text, _BRACKETS)
    if not lists:
        return single
    pairs = zip(text, single, strict=True)
    return pl.Series([lists.get(each, label) for each, label in pairs], dtype=pl.List(pl.String))


def _joined(text: pl.Series) -> pl.Series:
    """Return each text, or the words of the list that it writes as one text."""
    lists = _lists_of(text, _WORDS)
    return text.replace({each: " ".join(words) for each, words in lists.items()}) if lists else text


def _lists_of(text: pl.Series, shape: str) -> dict[str, list[str]]:
    """Return the lists that texts of a shape write, by the text."""
    writes = text.filter(text.str.contains(shape)).unique()
    return {each: labels for each in writes if (labels := labels_of(each)) is not None}


def _value(table: Table, column: str) -> tuple[pl.Expr, pl.DataType]:
    """Return a column of content and its type: arrays are lists, nested ones flat, NaN is null.

    Raises `DataError` for a column of objects, which a pandas frame has where it mixes kinds.
    """
    value, dtype = pl.col(column), table.dtype(column)
    if isinstance(dtype, (pl.Object, pl.Struct)):
        raise DataError(
            f"{table.name}: column {column!r} mixes kinds of value or holds objects; make it text, "
            "for example with frame[column].astype(str) where it is not empty"
        )
    if isinstance(dtype, pl.Array):
        dtype = _as_list(dtype)
        value = value.cast(dtype)
    while isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.List):
        dtype = dtype.inner
        value = value.list.eval(pl.element().explode())
    if isinstance(dtype, pl.List) and dtype.inner.is_float():
        value = value.list.eval(pl.element().fill_nan(None))
    return (value.fill_nan(None) if dtype.is_float() else value), dtype


def _as_list(dtype: Any) -> Any:
    """Return the type of lists that holds what an array type holds.

    >>> _as_list(pl.Array(pl.Int8, (2, 3)))
    List(List(Int8))
    """
    if not isinstance(dtype, (pl.Array, pl.List)):
        return dtype
    return pl.List(_as_list(dtype.inner))
