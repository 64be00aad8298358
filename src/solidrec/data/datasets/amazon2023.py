"""Amazon reviews of 2023 (Hou et al., McAuley Lab): JSON lines, and benchmark csv with a header."""

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
from solidrec.data.datasets.raw import EVENTS, Files, Format, picture, plain_name, renamed
from solidrec.data.jsonl import json_record
from solidrec.data.readers import read_delimited
from solidrec.data.table import Table

_SIZES = ("hi_res", "large", "thumb")


def _read_interactions(path: Path) -> Table:
    """Read ``<Category>.jsonl`` or the benchmark's ``<Category>.csv`` (times in milliseconds)."""
    if plain_name(path).endswith(".csv"):
        return renamed(read_delimited(path, separator=",", quote=None), {"parent_asin": "item_id"})
    return read_lines(path, json_record, _review, dict.fromkeys(EVENTS, pl.String()))


def _read_items(path: Path) -> Table:
    """Read ``meta_<Category>.jsonl``, with the main picture in the highest resolution available."""
    return read_item_lines(path, json_record, _item)


def _review(record: Record) -> tuple[str | None, ...]:
    item = identifier(record.get("parent_asin")) or identifier(record.get("asin"))
    return (
        identifier(record.get("user_id")),
        item,
        text(record.get("rating")),
        text(record.get("timestamp")),
    )


def _item(record: Record) -> tuple[object, ...]:
    return (
        identifier(record.get("parent_asin")),
        text(record.get("title")),
        labels(record.get("categories")),
        text(record.get("store")),
        text(record.get("description")),
        _picture(record.get("images")),
    )


def _picture(images: object) -> str | None:
    found = (
        [image for image in images if isinstance(image, dict)] if isinstance(images, list) else []
    )
    found.sort(key=lambda image: image.get("variant") != "MAIN")
    return next(
        (name for image in found for size in _SIZES if (name := picture(text(image.get(size))))),
        None,
    )


FORMAT = Format(
    title="Amazon reviews 2023",
    files=(
        Files(
            "<Category>.jsonl.gz", r"(?!meta_)(\w+)\.jsonl", r'\{.*"parent_asin"', "meta_{}.jsonl"
        ),
        Files(
            "<Category>.csv",
            r"(\w+)\.csv",
            r"user_id,parent_asin,rating,timestamp",
            "meta_{}.jsonl",
        ),
    ),
    read_interactions=_read_interactions,
    read_items=_read_items,
    address="https://amazon-reviews-2023.github.io/",
    terms="no licence stated for the data; cite Hou et al. 2024",
)
