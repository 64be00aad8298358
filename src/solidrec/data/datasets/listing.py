"""The registry as plain facts, for a table, for JSON and for the documentation's tests."""

from __future__ import annotations

from typing import Any

from solidrec.data.datasets.raw import Format
from solidrec.data.datasets.registry import DATASETS, FORMATS


def list_datasets() -> list[dict[str, Any]]:
    """Return name, format, files, counts, by, address, terms and note of every data set with published counts."""
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
    """Return name, title, files, address and terms of every family of files."""
    return [
        {"name": name, "title": entry.title, "files": _files(entry), "address": entry.address, "terms": entry.terms}
        for name, entry in FORMATS.items()
    ]


def _files(entry: Format) -> list[str]:
    """Return the names of both files of each pair.

    >>> _files(FORMATS["movielens"])[0]
    'u.data + u.item'
    """
    pairs = ((kind.shown, kind.items.replace("{}", "<name>" if "<name>" in kind.shown else "<Category>")) for kind in entry.files)
    return [f"{shown} + {items}" if items else shown for shown, items in pairs]
