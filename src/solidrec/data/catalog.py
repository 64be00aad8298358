"""The catalogue: one row for each item of the vocabulary, and one feature row for each index."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.data.columns import ITEMS, find_columns, id_column, number_column, unread_note
from solidrec.data.datasets.literals import labels_of
from solidrec.data.matching import compare_ids
from solidrec.data.reject import whole_number
from solidrec.data.table import Table
from solidrec.errors import DataError

_TEXT_COLUMNS = ("title", "brand", "text", "description")


@final
@dataclass(frozen=True)
class Catalog:
    """The catalogue rows of the V items of a vocabulary.

    `frame` has V rows in item order: item, title, categories, brand, text, description, image and
    token lists. `rows` (V,) is the row of each item in the items file, or -1. `index` is the
    item_idx of every row of the file, if it has one. `facts` are counts for the manifest, and
    `notes` are lines on what deserves a look.
    """

    frame: pl.DataFrame
    rows: npt.NDArray[np.int64]
    file_rows: int
    index: pl.Series | None
    facts: dict[str, Any]
    notes: tuple[str, ...] = ()


def bare_catalog(items: pl.Series) -> Catalog:
    """Return the catalogue of a log without an items file: it holds only ids."""
    empty = [pl.lit(None, pl.String).alias(name) for name in (*_TEXT_COLUMNS, "image")]
    frame = pl.DataFrame({"item": items}).with_columns(
        *empty, categories=pl.lit([], pl.List(pl.String))
    )
    return Catalog(_arranged(frame), np.full(len(items), -1), 0, None, {})


def read_catalog(
    table: Table,
    items: pl.Series,
    *,
    columns: Mapping[str, str | None],
    category_separator: str | None = None,
    duplicate_items: Literal["error", "first"] = "error",
    also_read: Collection[str] = (),
) -> Catalog:
    """Read an items table and align it with the vocabulary `items` (sorted, unique ids).

    Items without a catalogue row are kept with a null title and no categories; catalogue rows
    without interactions are left out. Both are counted, and columns that nothing reads are noted;
    those in `also_read` are read by others. Raises `DataError` for null ids, (by default) for
    repeated ids, and as `compare_ids` does.
    """
    roles = find_columns(table, ITEMS, columns, required=("items_id",))
    raw = table.collect(
        id_column(table, roles["items_id"], "item"), *_content(table, roles, category_separator)
    )
    raw = raw.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    unnamed = raw.filter(pl.col("item").is_null() | (pl.col("item").str.strip_chars() == ""))["row"]
    if len(unnamed):
        raise DataError(
            f"{table.place(unnamed[0])}: {len(unnamed):,} rows have no item id; remove them"
        )
    once = raw.unique("item", keep="first", maintain_order=True)
    if len(once) < len(raw) and duplicate_items == "error":
        row, name = raw.join(once.select("row"), on="row", how="anti").select("row", "item").row(0)
        raise DataError(
            f"{table.place(row)}: item {name!r} occurs again; remove it or use "
            "--duplicate-items first"
        )
    compared = compare_ids(items, once["item"], name=table.name)
    notes = compared.notes + _unread(table, roles, also_read)
    frame = pl.DataFrame({"item": items}).join(once, on="item", how="left", maintain_order="left")
    rows = frame["row"].fill_null(-1).to_numpy()
    without = int(np.count_nonzero(rows < 0))
    facts = {
        "rows": len(raw),
        "catalog_only": len(once) - (len(items) - without),
        "without_catalog_row": without,
        "duplicate_items": len(raw) - len(once),
    }
    if compared.written_otherwise:
        facts["written_otherwise"] = compared.written_otherwise
    index = _whole_index(raw, table) if "item_idx" in raw.columns else None
    frame = frame.with_columns(pl.col("categories").fill_null([]))
    frame = _arranged(frame.drop("row", "item_idx", strict=False))
    return Catalog(frame, rows, len(raw), index, facts, notes)


def _whole_index(raw: pl.DataFrame, table: Table) -> pl.Series:
    """Return the numbers of feature rows; raise `DataError` for one that is no whole number."""
    given = raw["item_idx"]
    whole = raw.select(whole_number("item_idx", given.dtype)).to_series()
    empty = given.is_null() | given.is_nan() if given.dtype.is_float() else given.is_null()
    bad = (whole.is_null() & ~empty).arg_true()
    if len(bad):
        raise DataError(
            f"{table.place(int(bad[0]))}: item_idx {given[bad[0]]!r} is not a whole number; number "
            "the rows of the feature matrices"
        )
    return whole


def _content(table: Table, roles: Mapping[str, str], separator: str | None) -> list[pl.Expr]:
    content = [_text(table, roles.get(name)).alias(name) for name in _TEXT_COLUMNS]
    content.append(_image(table, roles.get("image")).alias("image"))
    content.append(_categories(table, roles.get("category"), separator).alias("categories"))
    content += [pl.col(name) for name in _token_columns(table)]
    if "item_idx" in roles:
        content.append(number_column(table, roles["item_idx"], "item_idx"))
    return content


def _token_columns(table: Table) -> list[str]:
    """Return the columns of lists of discrete tokens."""
    return [
        name
        for name in table.columns
        if "_tokens" in name and isinstance(table.dtype(name), (pl.List, pl.Array))
    ]


def _unread(table: Table, roles: Mapping[str, str], also_read: Collection[str]) -> tuple[str, ...]:
    """Return a note that names the columns which nothing reads, if there are any."""
    read = {column for role, column in roles.items() if role != "image"}
    if "image" in roles and _is_name(table.dtype(roles["image"])):
        read.add(roles["image"])
    read |= {*_token_columns(table), *also_read}
    return unread_note(table, read)


def _text(table: Table, column: str | None) -> pl.Expr:
    """Return a text column: blank text becomes null, a list of words or paragraphs one text."""
    if column is None:
        return pl.lit(None, pl.String)
    text, dtype = _value(table, column)
    if isinstance(dtype, pl.List):
        text = text.cast(pl.List(pl.String)).list.join(" ")
    text = text.cast(pl.String)
    return pl.when(text.str.strip_chars() != "").then(text)


def _image(table: Table, column: str | None) -> pl.Expr:
    """Return the picture name of each item, the first of a list; null if the column is not text."""
    if column is None or not _is_name(table.dtype(column)):
        return pl.lit(None, pl.String)
    name, dtype = _value(table, column)
    if isinstance(dtype, pl.List):
        name = name.list.drop_nulls().list.first()
    name = name.cast(pl.String)
    return pl.when(name.str.strip_chars() != "").then(name)


def _is_name(dtype: Any) -> bool:
    """Return whether a column of this type can name pictures."""
    text = dtype.inner if isinstance(dtype, pl.List | pl.Array) else dtype
    return isinstance(text, (pl.String, pl.Categorical, pl.Enum))


def _categories(table: Table, column: str | None, separator: str | None) -> pl.Expr:
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
    writes = text.unique().drop_nulls()
    writes = writes.filter(writes.str.contains(r"^\s*\[.*\]\s*$"))
    lists = {each: labels for each in writes if (labels := labels_of(each)) is not None}
    if not lists:
        return single
    pairs = zip(text, single, strict=True)
    return pl.Series([lists.get(each, label) for each, label in pairs], dtype=pl.List(pl.String))


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


def _arranged(frame: pl.DataFrame) -> pl.DataFrame:
    first = ["item", "title", "categories", "brand", "text", "description", "image"]
    return frame.select(*first, *sorted(set(frame.columns) - set(first)))
