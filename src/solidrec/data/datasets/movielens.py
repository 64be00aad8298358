"""MovieLens: tabs and bars (100K), double colons (1M, 10M), csv with a header (20M, 25M, 32M)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from solidrec.data.datasets.raw import EVENTS, Files, Format, plain_name, renamed
from solidrec.data.files import read_blocks
from solidrec.data.ml100k import read_u_item
from solidrec.data.readers import read_delimited
from solidrec.data.table import Table

_UNUSED = "\x1f"
_CSV = {"userId": "user_id", "movieId": "item_id", "genres": "categories"}
_MOVIE = r"^(?<item_id>[^:]*)::(?<title>.*)::(?<categories>[^:]*)$"


def _read_interactions(path: Path) -> Table:
    """Read ``u.data``, ``ratings.dat`` or ``ratings.csv``."""
    name = plain_name(path)
    if name.endswith(".dat"):
        table = _whole_lines(path, "utf-8")
        fields = pl.col("line").str.splitn("::", len(EVENTS)).struct.rename_fields(list(EVENTS))
        return replace(table, frame=table.frame.select(fields).unnest("line"))
    if name.endswith(".csv"):
        return renamed(read_delimited(path, separator=",", quote='"'), _CSV)
    return read_delimited(path, separator="\t", quote=None, columns=EVENTS)


def _read_items(path: Path) -> Table:
    """Read item_id, title and genres of ``u.item``, ``movies.dat`` or ``movies.csv``."""
    name = plain_name(path)
    if name.endswith(".csv"):
        table = renamed(read_delimited(path, separator=",", quote='"'), _CSV)
    else:
        content = b"".join(read_blocks(path))
        encoding = _encoding(content)
        if name.endswith(".item"):
            return Table(read_u_item(content.decode(encoding), str(path)).lazy(), str(path))
        table = _whole_lines(path, encoding)
        table = replace(
            table,
            frame=table.frame.select(pl.col("line").str.extract_groups(_MOVIE)).unnest("line"),
        )
    genres = pl.col("categories").str.split("|")
    none = pl.col("categories") == "(no genres listed)"
    return replace(table, frame=table.frame.with_columns(categories=pl.when(~none).then(genres)))


def _whole_lines(path: Path, encoding: str) -> Table:
    """Read every line as one column, since no csv reader splits at two characters."""
    return read_delimited(path, separator=_UNUSED, quote=None, columns=("line",), encoding=encoding)


def _encoding(content: bytes) -> str:
    """Return utf-8 or latin-1; non-ASCII titles in latin-1 are never valid UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8"


FORMAT = Format(
    title="MovieLens",
    files=(
        Files("u.data", r"u\.data", r"\d+\t\d+\t\d\t\d+$", "u.item"),
        Files("ratings.dat", r"ratings\.dat", r"\d+::\d+::[\d.]+::\d+$", "movies.dat"),
        Files("ratings.csv", r"ratings\.csv", r"userId,movieId,rating,timestamp$", "movies.csv"),
    ),
    read_interactions=_read_interactions,
    read_items=_read_items,
    address="https://grouplens.org/datasets/movielens/",
    terms=(
        "research use, no commercial use without permission (README of each archive); "
        "cite Harper & Konstan 2015"
    ),
)
