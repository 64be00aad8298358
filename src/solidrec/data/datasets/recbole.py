"""RecBole's atomic files: tab-separated, with types in the header (user_id:token, ...)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from solidrec.data.columns import find_columns
from solidrec.data.datasets.raw import Files, Format
from solidrec.data.readers import read_table
from solidrec.data.table import Table

_ITEMS = {
    "items_id": ("item_id",),
    "title": ("title", "movie_title", "name", "item_name"),
    "category": ("categories", "category", "genres", "genre", "class", "tags"),
    "brand": ("brand",),
    "description": ("description",),
    "year": ("release_year",),
}


def _read_interactions(path: Path) -> Table:
    """Read ``<name>.inter``, whose typed header `columns.find_columns` knows."""
    return read_table(path)


def read_items(path: Path) -> Table:
    """Read ``<name>.item``; token_seq is split at spaces, and a film's year follows its title."""
    table = read_table(path)
    roles = find_columns(table, _ITEMS, {}, required=("items_id",))
    columns = {role: pl.col(name) for role, name in roles.items()}
    title = columns.get("title", pl.lit(None, pl.String))
    if "year" in columns:
        title = title + pl.format(" ({})", columns["year"]).fill_null("")
    kept = [columns["items_id"].alias("item_id"), title.alias("title")]
    kept += [columns[role].alias(role) for role in ("brand", "description") if role in columns]
    if "category" in roles:
        split = roles["category"].endswith(":token_seq")
        kept.append(
            (columns["category"].str.split(" ") if split else columns["category"]).alias(
                "categories"
            )
        )
    return replace(table, frame=table.frame.select(kept))


FORMAT = Format(
    title="RecBole atomic files",
    files=(Files("<name>.inter", r"([\w.-]+)\.inter", r"\w+:(?:token|float)", "{}.item"),),
    read_interactions=_read_interactions,
    read_items=read_items,
    address="https://recbole.io/dataset_list.html",
    terms="those of the data set that was converted; cite Zhao et al. 2021",
)
