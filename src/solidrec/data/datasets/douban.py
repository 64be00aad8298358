"""Douban books, music and films, in three forms of cross-domain and social recommendation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from solidrec.data.datasets.raw import EVENTS, Files, Format, first_line, plain_name, renamed
from solidrec.data.readers import read_delimited
from solidrec.data.table import Table

_HEADER = {"UserId": "user_id", "ItemId": "item_id", "Rating": "rating", "Timestamp": "timestamp"}
_REVIEWS = dict.fromkeys(("book_id", "movie_id", "music_id"), "item_id") | {"time": "timestamp"}
_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


def _read_interactions(path: Path) -> Table:
    """Read ``douban_<domain>.tsv``, ``<domain>reviews_cleaned.txt`` or ``ratings.dat``."""
    if plain_name(path).endswith("reviews_cleaned.txt"):
        table = renamed(read_delimited(path, separator="\t", quote='"'), _REVIEWS)
        return replace(table, frame=table.frame.with_columns(timestamp=_seconds("timestamp")))
    head = first_line(path)
    if head.startswith("UserId\t"):
        return renamed(read_delimited(path, separator="\t", quote=None), _HEADER)
    # ratings.dat has no header, and often no time
    separator = "\t" if "\t" in head else ","
    return read_delimited(
        path, separator=separator, quote=None, columns=EVENTS[: head.count(separator) + 1]
    )


def _seconds(column: str) -> pl.Expr:
    """Return dates as seconds since 1970; other text stays, to be refused with its line number."""
    text = pl.col(column)
    moment = pl.coalesce(text.str.to_datetime(form, strict=False) for form in _DATES)
    return pl.coalesce(moment.dt.epoch("s").cast(pl.String), text)


FORMAT = Format(
    title="Douban",
    files=(
        Files("douban_<domain>.tsv", r"douban_\w+\.tsv", r"UserId\tItemId\tRating"),
        Files(
            "<domain>reviews_cleaned.txt",
            r"(?:book|music|movie)reviews_cleaned\.txt",
            r'"?user_id"?\t"?\w+_id"?\t',
        ),
        Files(
            "ratings.dat",
            r"ratings\.dat|douban_\w+\.(?:dat|csv|tsv|txt)",
            r"\d+([\t,])\d+\1-?[\d.]+(?:\1[\d.]+)?$",
        ),
    ),
    read_interactions=_read_interactions,
    address=(
        "https://github.com/DeepGraphLearning/RecommenderSystems "
        "https://github.com/FengZhu-Joey/GA-DTCDR"
    ),
    terms=(
        "no licence stated; cite Song et al. 2019 (first address, .tsv) "
        "or Zhu et al. 2020 (second, the others)"
    ),
)
