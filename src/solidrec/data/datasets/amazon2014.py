"""Amazon reviews 2014 (McAuley): headerless ratings, JSON-lines reviews, Python-literal items."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from solidrec.data.datasets.lines import (
    Record,
    identifier,
    labels,
    read_item_lines,
    read_lines,
    text,
)
from solidrec.data.datasets.literals import literal_record
from solidrec.data.datasets.raw import EVENTS, Files, Format, picture, plain_name
from solidrec.data.jsonl import json_record
from solidrec.data.readers import read_delimited
from solidrec.data.table import Table


def _read_interactions(path: Path) -> Table:
    """Read ``ratings_<Category>.csv`` (columns `EVENTS`) or ``reviews_<Category>_5.json.gz``."""
    if plain_name(path).endswith(".csv"):
        return read_delimited(path, separator=",", quote=None, columns=EVENTS)
    return read_reviews(path)


def read_reviews(path: Path) -> Table:
    """Read reviews of 2014 or 2018: reviewerID, asin, overall, unixReviewTime."""
    return read_lines(path, json_record, _review, dict.fromkeys(EVENTS, pl.String()))


def _read_items(path: Path) -> Table:
    """Read ``meta_<Category>.json.gz``, whose lines are Python literals."""
    return read_item_lines(path, literal_record, _item)


def _review(record: Record) -> tuple[str | None, ...]:
    user, item = identifier(record.get("reviewerID")), identifier(record.get("asin"))
    return user, item, text(record.get("overall")), text(record.get("unixReviewTime"))


def _item(record: Record) -> tuple[object, ...]:
    return (
        identifier(record.get("asin")),
        text(record.get("title")),
        labels(record.get("categories")),
        text(record.get("brand")),
        text(record.get("description")),
        picture(text(record.get("imUrl"))),
    )


FORMAT = Format(
    title="Amazon reviews 2014",
    files=(
        Files(
            "ratings_<Category>.csv",
            r"ratings_(\w+)\.csv",
            r"[^,]+,[^,]+,[\d.]+,\d+$",
            "meta_{}.json",
        ),
        Files(
            "reviews_<Category>_5.json.gz",
            r"reviews_(\w+?)(?:_5|_10)?\.json",
            r"\{",
            "meta_{}.json",
        ),
    ),
    read_interactions=_read_interactions,
    read_items=_read_items,
    address="https://jmcauley.ucsd.edu/data/amazon/",
    terms="no licence stated; cite He & McAuley 2016 and McAuley et al. 2015",
)
