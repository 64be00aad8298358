"""The registry as plain facts, for a table, for JSON and for the tests of the documentation."""

from __future__ import annotations

from typing import Any

from solidrec.data.datasets.known import DATASETS, FORMATS
from solidrec.data.datasets.raw import Format


def list_datasets() -> list[dict[str, Any]]:
    """Return name, format, files, counts, by, address, terms and note of every data set."""
    return [
        {
            "name": name,
            "format": entry.format,
            "files": list(entry.files),
            "counts": entry.counts._asdict(),
            "by": entry.by,
            "address": entry.address,
            "terms": FORMATS[entry.format].terms,
            "note": entry.note,
        }
        for name, entry in DATASETS.items()
    ]


def list_formats() -> list[dict[str, Any]]:
    """Return name, title, interactions and items files, address and terms of every family."""
    return [
        {
            "name": name,
            "title": entry.title,
            "interactions": [kind.shown for kind in entry.files],
            "items": _items(entry),
            "address": entry.address,
            "terms": entry.terms,
        }
        for name, entry in FORMATS.items()
    ]


def _items(entry: Format) -> list[str]:
    """Return the names of a family's items files, with placeholders such as ``<Category>``.

    >>> _items(FORMATS["amazon-2014"]), _items(FORMATS["recbole"]), _items(FORMATS["douban"])
    (['meta_<Category>.json'], ['<name>.item'], [])
    """
    names = (
        kind.items.format("<name>" if "<name>" in kind.shown else "<Category>")
        for kind in entry.files
        if kind.items
    )
    return list(dict.fromkeys(names))
