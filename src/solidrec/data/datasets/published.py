"""Published counts of data sets, and how a local copy differs from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, final

_WHY = (
    "numbers of a paper compare only on the same rows; usual causes are duplicates that were "
    "dropped, another --k-core or --min-rating, or a newer or partial download"
)


class Counts(NamedTuple):
    """Users, items and interactions."""

    users: int
    items: int
    interactions: int


@final
@dataclass(frozen=True)
class Dataset:
    """A data set with published counts.

    `files` are the names of its files (``folder/file`` where the name alone is not enough) and
    `format` is their family. `by` says who published the counts, `note` how they came about.
    """

    format: str
    files: tuple[str, ...]
    counts: Counts
    by: str
    address: str
    note: str = ""


def compare(name: str, dataset: Dataset, found: Counts) -> dict[str, Any]:
    """Compare the counts `found` with the published ones; differences are found minus published.

    >>> entry = Dataset("recbole", (), Counts(2, 3, 9), "a paper", "")
    >>> compare("x", entry, Counts(2, 2, 9))["differences"]
    {'users': 0, 'items': -1, 'interactions': 0}
    """
    differences = {
        name: getattr(found, name) - value for name, value in dataset.counts._asdict().items()
    }
    return {
        "dataset": name,
        "by": dataset.by,
        "counts": dataset.counts._asdict(),
        "differences": differences,
        "same": not any(differences.values()),
        "note": dataset.note,
    }


def sentence(facts: Mapping[str, Any]) -> str:
    """Return one line that says what `compare` found.

    >>> entry = Dataset("recbole", (), Counts(2, 3, 1000), "a paper", "")
    >>> line = sentence(compare("x", entry, Counts(2, 2, 1010)))
    >>> line.partition(":")[0]
    'published as x (a paper) with 2 users, 3 items, 1,000 interactions'
    >>> "this copy has 1 fewer items, 10 more interactions: numbers of a paper compare" in line
    True
    """
    counts = ", ".join(f"{value:,} {name}" for name, value in facts["counts"].items())
    published = f"published as {facts['dataset']} ({facts['by']}) with {counts}"
    if facts["same"]:
        return f"{published}: this copy has the same counts"
    differences = ", ".join(
        f"{abs(d):,} {'more' if d > 0 else 'fewer'} {name}"
        for name, d in facts["differences"].items()
        if d
    )
    note = f" ({facts['note']})" if facts["note"] else ""
    return f"{published}: this copy has {differences}: {_WHY}{note}"
