"""The catalogue: one row for each item of the vocabulary, and one feature row for each index."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, final

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.data.attributes import attribute_columns, kept_note, typed
from solidrec.data.columns import ITEMS, find_columns, id_column, number_column, unread_note
from solidrec.data.content_columns import category_column, image_column, is_name, text_column
from solidrec.data.matching import compare_ids
from solidrec.data.reject import whole_number
from solidrec.data.table import Table
from solidrec.errors import DataError

_KEPT = "kept:"
"""Before the names of attributes while they are read, since a role may have the same name."""
_FOR_BOTH = "brand"
"""A column that training reads, and rules too."""
_TEXT_COLUMNS = ("title", "brand", "text", "description")


@final
@dataclass(frozen=True)
class Catalog:
    """The catalogue rows of the V items of a vocabulary.

    `frame` has V rows in item order: item, title, categories, brand, text, description, image and
    token lists; `attributes`, if there are any, the other columns that hold values, and brands.
    `rows` (V,) is the row of each item in the items file, or -1. `index` is the item_idx of every
    row of the file, if it has one. `facts` are counts for the manifest, and `notes` are lines on
    what deserves a look.
    """

    frame: pl.DataFrame
    rows: npt.NDArray[np.int64]
    file_rows: int
    index: pl.Series | None
    facts: dict[str, Any]
    notes: tuple[str, ...] = ()
    attributes: pl.DataFrame | None = None

    def behind(self, count: int) -> Catalog:
        """Return the catalogue without its first `count` items."""
        attributes = None if self.attributes is None else self.attributes[count:]
        return replace(
            self, frame=self.frame[count:], rows=self.rows[count:], attributes=attributes
        )


def renewed(kept: pl.DataFrame | None, catalog: Catalog) -> pl.DataFrame | None:
    """Return the attributes `kept` of the first items with their values in a newer catalogue.

    An item without a row there keeps its own values, and so does a column of another type.
    """
    newer = catalog.attributes
    if kept is None or newer is None:
        return kept
    has_row = pl.Series(catalog.rows[: len(kept)] >= 0)
    found = []
    for column in kept:
        if column.name in newer.columns:
            given = newer[column.name][: len(kept)]
            if given.dtype == column.dtype or (
                given.dtype.is_numeric() and column.dtype.is_numeric()
            ):
                column = given.zip_with(has_row, column).alias(column.name)
        found.append(column)
    return pl.DataFrame(found)


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
    without interactions are left out. Both are counted. Columns that training does not read are
    noted, and kept as attributes if they hold values, as brands are; those in `also_read` are read
    by others.
    Raises `DataError` for null ids, (by default) for
    repeated ids, and as `compare_ids` does.
    """
    roles = find_columns(table, ITEMS, columns, required=("items_id",))
    unread = _unread(table, roles, also_read)
    kept = attribute_columns(table, unread)
    raw = table.collect(
        id_column(table, roles["items_id"], "item"),
        *_content(table, roles, category_separator),
        *(pl.col(name).alias(f"{_KEPT}{name}") for name in kept),
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
    read = set(table.columns) - set(unread) | set(kept)
    notes = compared.notes + kept_note(table, kept) + unread_note(table, read)
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
    attributes = [typed(frame[f"{_KEPT}{name}"]).alias(name) for name in kept]
    if _FOR_BOTH in roles:
        attributes.append(frame[_FOR_BOTH])
    frame = _arranged(frame.select(pl.exclude("row", "item_idx", f"^{_KEPT}.*$")))
    found = pl.DataFrame(attributes) if attributes else None
    return Catalog(frame, rows, len(raw), index, facts, notes, found)


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
    content = [text_column(table, roles.get(name)).alias(name) for name in _TEXT_COLUMNS]
    content.append(image_column(table, roles.get("image")).alias("image"))
    content.append(category_column(table, roles.get("category"), separator).alias("categories"))
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


def _unread(table: Table, roles: Mapping[str, str], also_read: Collection[str]) -> list[str]:
    """Return the columns that training does not read."""
    read = {column for role, column in roles.items() if role != "image"}
    if "image" in roles and is_name(table.dtype(roles["image"])):
        read.add(roles["image"])
    read |= {*_token_columns(table), *also_read}
    return [name for name in table.columns if name not in read]


def _arranged(frame: pl.DataFrame) -> pl.DataFrame:
    first = ["item", "title", "categories", "brand", "text", "description", "image"]
    return frame.select(*first, *sorted(set(frame.columns) - set(first)))
