"""Amazon reviews of 2018 (Ni, Li and McAuley): headerless ratings, and JSON lines."""

from __future__ import annotations

from pathlib import Path

from solidrec.data.datasets.amazon2014 import read_reviews
from solidrec.data.datasets.lines import Record, first, identifier, labels, read_item_lines, text
from solidrec.data.datasets.raw import Files, Format, picture, plain_name
from solidrec.data.jsonl import json_record
from solidrec.data.readers import read_delimited
from solidrec.data.table import Table

_COLUMNS = ("item_id", "user_id", "rating", "timestamp")
_PICTURES = ("imageURLHighRes", "imageURL", "image", "imUrl")


def _read_interactions(path: Path) -> Table:
    """Read ``<Category>.csv`` (item first, unlike 2014) or ``<Category>_5.json.gz``."""
    if plain_name(path).endswith(".csv"):
        return read_delimited(path, separator=",", quote=None, columns=_COLUMNS)
    return read_reviews(path)


def _read_items(path: Path) -> Table:
    """Read ``meta_<Category>.json.gz``, and prefer an item's first picture in high resolution."""
    return read_item_lines(path, json_record, _item)


def _item(record: Record) -> tuple[object, ...]:
    addresses = (text(first(record.get(key))) for key in _PICTURES)
    return (
        identifier(record.get("asin")),
        text(record.get("title")),
        labels(record.get("category")),
        text(record.get("brand")),
        text(record.get("description")),
        next((name for address in addresses if (name := picture(address))), None),
    )


FORMAT = Format(
    title="Amazon reviews 2018",
    files=(
        Files(
            "<Category>_5.json.gz",
            r"(?!reviews_|meta_)(\w+?)(?:_5)?\.json",
            r'\{.*"reviewerID"',
            "meta_{}.json",
        ),
        Files(
            "<Category>.csv",
            r"(\w+)\.csv",
            r"[0-9A-Z]{10},[A-Z][0-9A-Z]{11,},\d(?:\.\d)?,\d+$",
            "meta_{}.json",
        ),
    ),
    read_interactions=_read_interactions,
    read_items=_read_items,
    address="https://nijianmo.github.io/amazon/",
    terms="no licence stated; cite Ni, Li and McAuley 2019",
)
