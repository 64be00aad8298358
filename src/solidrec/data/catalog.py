"""The catalogue: one row for each item of the vocabulary, and one feature row for each index."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.data.columns import ITEMS, find_columns, id_column
from solidrec.data.matching import compare_ids
from solidrec.data.readers import Table
from solidrec.errors import DataError

_TEXT_COLUMNS = ("title", "brand", "text", "description")
_SHOWN = 10
"""Number of column names that a note lists."""


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
            f"{table.name}:{unnamed[0] + table.first_row}: {len(unnamed):,} rows have no item id; "
            "remove them"
        )
    once = raw.unique("item", keep="first", maintain_order=True)
    if len(once) < len(raw) and duplicate_items == "error":
        row, name = raw.join(once.select("row"), on="row", how="anti").select("row", "item").row(0)
        raise DataError(
            f"{table.name}:{row + table.first_row}: item {name!r} occurs again; remove it or use "
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
    index = _whole_numbers(raw["item_idx"], table) if "item_idx" in raw.columns else None
    frame = frame.with_columns(pl.col("categories").fill_null([]))
    arranged = _arranged(frame.drop("row", "item_idx", strict=False))
    return Catalog(arranged, rows, len(raw), index, facts, notes)


def _content(table: Table, roles: Mapping[str, str], separator: str | None) -> list[pl.Expr]:
    content = [_text(table, roles.get(name)).alias(name) for name in _TEXT_COLUMNS]
    content.append(_image(table, roles.get("image")).alias("image"))
    content.append(_categories(table, roles.get("category"), separator).alias("categories"))
    content += [pl.col(name) for name in _token_columns(table)]
    if "item_idx" in roles:
        content.append(pl.col(roles["item_idx"]).alias("item_idx"))
    return content


def _whole_numbers(index: pl.Series, table: Table) -> pl.Series:
    """Return item_idx as integers; raises `DataError` naming a row whose value is none."""
    numbers = index.cast(pl.Int64, strict=False)
    wrong = index.is_not_null() & numbers.is_null()
    if index.dtype.is_float():
        wrong |= index != numbers.cast(index.dtype)
    if wrong.any():
        row = int(wrong.arg_true()[0])
        raise DataError(
            f"{table.name}:{row + table.first_row}: item_idx {index[row]!r} is not a whole number; "
            "number the rows of the feature matrices"
        )
    return numbers


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
    unread = [name for name in table.columns if name not in read]
    if not unread:
        return ()
    more = f" and {len(unread) - _SHOWN:,} more" if len(unread) > _SHOWN else ""
    where = Path(table.name).name
    return (f"{where}: nothing reads the columns {', '.join(unread[:_SHOWN])}{more}",)


def _text(table: Table, column: str | None) -> pl.Expr:
    """Return a text column: blank text becomes null, a list of paragraphs becomes one text."""
    if column is None:
        return pl.lit(None, pl.String)
    text = pl.col(column)
    if isinstance(table.dtype(column), pl.List):
        text = text.cast(pl.List(pl.String)).list.join(" ")
    text = text.cast(pl.String)
    return pl.when(text.str.strip_chars() != "").then(text)


def _image(table: Table, column: str | None) -> pl.Expr:
    """Return the picture name of each item, the first of a list; null if the column is not text."""
    if column is None or not _is_name(table.dtype(column)):
        return pl.lit(None, pl.String)
    name = pl.col(column)
    if isinstance(table.dtype(column), pl.List):
        name = name.list.drop_nulls().list.first()
    name = name.cast(pl.String)
    return pl.when(name.str.strip_chars() != "").then(name)


def _is_name(dtype: Any) -> bool:
    """Return whether a column of this type can name pictures."""
    text = dtype.inner if isinstance(dtype, pl.List) else dtype
    return isinstance(text, (pl.String, pl.Categorical, pl.Enum))


def _categories(table: Table, column: str | None, separator: str | None) -> pl.Expr:
    """Return lists of distinct labels; a string is one label if there is no separator."""
    if column is None:
        return pl.lit([], pl.List(pl.String))
    dtype = table.dtype(column)
    if not isinstance(dtype, pl.List):
        text = pl.col(column).cast(pl.String)
        labels = text.str.split(separator) if separator else pl.concat_list(text)
    else:
        labels = (
            pl.col(column).list.eval(pl.element().explode())
            if isinstance(dtype.inner, pl.List)
            else pl.col(column)
        )
        labels = labels.cast(pl.List(pl.String))
    labels = labels.list.eval(pl.element().str.strip_chars())
    return labels.list.eval(pl.element().filter(pl.element() != "")).list.unique(
        maintain_order=True
    )


def _arranged(frame: pl.DataFrame) -> pl.DataFrame:
    first = ["item", "title", "categories", "brand", "text", "description", "image"]
    return frame.select(*first, *sorted(set(frame.columns) - set(first)))
