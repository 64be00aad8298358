"""Shared parts of the readers of public files: file families, columns and picture names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, final
from urllib.parse import urlsplit

import polars as pl

from solidrec.data.files import read_blocks
from solidrec.data.table import Table

EVENTS = ("user_id", "item_id", "rating", "timestamp")
ITEMS = {
    "item_id": pl.String(),
    "title": pl.String(),
    "categories": pl.List(pl.String()),
    "brand": pl.String(),
    "description": pl.String(),
    "image": pl.String(),
}
_MAX_FIRST_LINE = 1 << 16


class Files(NamedTuple):
    """One pair of files, interactions and items, and how to recognise it.

    `shown` is the name as people write it. The pattern `name` must match the whole name without
    ``.gz``, the pattern `first` the beginning of the first line. `items` is the name of the items
    file, with ``{}`` where the group of `name` goes; it is empty if there is no items file.
    """

    shown: str
    name: str
    first: str
    items: str = ""

    def stem(self, path: Path) -> str | None:
        """Return the group of `name` for a file of this kind ("" without a group), else None."""
        found = re.fullmatch(self.name, plain_name(path))
        if found is None or not re.match(self.first, first_line(path)):
            return None
        return found.group(1) if found.re.groups else ""

    def items_of(self, path: Path) -> Path | None:
        """Return the items file, packed or not, beside an interactions file of this kind."""
        name = self.items.format(self.stem(path))
        beside = (path.with_name(name + packed) for packed in ("", ".gz")) if name else ()
        return next((file for file in beside if file.is_file()), None)


@final
@dataclass(frozen=True)
class Format:
    """A family of public files: their names, readers, origin and terms of use.

    `read_interactions` gives user_id, item_id, rating and timestamp as written. `read_items` gives
    item_id, title, categories and, where the family knows them, brand, description and image, the
    name of the picture; it is None if no items file belongs to the family.
    """

    title: str
    files: tuple[Files, ...]
    read_interactions: Callable[[Path], Table]
    address: str
    terms: str
    read_items: Callable[[Path], Table] | None = None

    def kind(self, path: Path) -> Files | None:
        """Return the pair of this family that a file of interactions belongs to, or None."""
        return next((kind for kind in self.files if kind.stem(path) is not None), None)

    def names_items(self, path: Path) -> bool:
        """Tell whether a file is named like an items file of this family."""
        names = (re.escape(kind.items).replace(r"\{\}", ".+") for kind in self.files if kind.items)
        return any(re.fullmatch(name, plain_name(path)) for name in names)


def plain_name(path: Path) -> str:
    """Return a file's name without ``.gz``.

    >>> plain_name(Path("data/meta_Books.json.gz"))
    'meta_Books.json'
    """
    return path.name.removesuffix(".gz")


def first_line(path: Path) -> str:
    """Return the beginning of a file's first line, unpacked, of at most 64 kB."""
    block = next(read_blocks(path), b"")
    return (
        block[:_MAX_FIRST_LINE]
        .partition(b"\n")[0]
        .decode("latin-1")
        .rstrip("\r")
        .removeprefix("ï»¿")  # a byte order mark, read as latin-1
    )


def renamed(table: Table, names: dict[str, str]) -> Table:
    """Rename columns and keep them all, so that rows with too many fields are still noticed."""
    return replace(table, frame=table.frame.rename(names, strict=False))


def picture(address: str | None) -> str | None:
    """Return the name of a downloaded picture: the last part of its address, without the query.

    >>> picture("http://ecx.images-amazon.com/images/I/41%2B1.jpg?x=1")
    '41%2B1.jpg'
    >>> picture("http://ecx.images-amazon.com/"), picture("http://site/a/.."), picture(None)
    (None, None, None)
    """
    try:
        name = urlsplit(address or "").path.rpartition("/")[2].strip()
    except ValueError:
        return None
    return None if name in ("", ".", "..") or "\\" in name or not name.isprintable() else name
