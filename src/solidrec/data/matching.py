"""Ids that should name the same items or users: notes where some do not, an error where few do."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import polars as pl

from solidrec.errors import DataError

FEWEST = 0.1
"""Share of the smaller side that must match; below it, the two sides cannot be meant together."""


def hardly_any(matched: int, one: int, other: int) -> bool:
    """Return whether too few of two sides match, measured by the smaller one.

    A side may be large without the other (a whole shop's catalogue, a handful of described items).

    >>> hardly_any(1, 1000, 1), hardly_any(99, 1000, 5000), hardly_any(0, 6, 6)
    (False, True, True)
    """
    return matched < FEWEST * min(one, other)


class Compared(NamedTuple):
    """Notes on ids that do not match, and how many of them only differ in how they are written."""

    notes: tuple[str, ...] = ()
    written_otherwise: int = 0


def compare_ids(items: pl.Series, rows: pl.Series, *, name: str) -> Compared:
    """Return what there is to say of items of a log that have no row in the items file `name`.

    `items` and `rows` hold the distinct ids of either side. Raises `DataError` with an example of
    either side if hardly any match, or if less than half do and most of the others would if ids
    were written alike.
    """
    found = _sides(items, rows)
    if not len(found.missing):
        return Compared()
    examples = found.examples("a row", "the file")
    cure = "write ids alike in both, or name their column by --items-id-column"
    if found.few:
        few = f"only {found.matched:,} of the {len(items):,} items of the log have"
        few = few if found.matched else "no item of the log has"
        raise DataError(f"{name}: {few} a row in it; {examples}; {cure}")
    told = f"; if they are the same items, {cure}" if len(found.alike) else ""
    # a note goes into the manifest, which does not say where files lay
    note = (
        f"{Path(name).name}: {len(found.missing):,} of {len(items):,} items of the log have no "
        f"row; {examples}{told}"
    )
    return Compared((note,), len(found.alike))


def compare_new_items(items: pl.Series, known: pl.Series, *, name: str) -> tuple[str, ...]:
    """Return what there is to say of items of the new log `name` that nobody knows.

    `known` are the items of the run and those that an items file describes. Raises `DataError` as
    `compare_ids` does.
    """
    found = _sides(items, known)
    if not len(found.missing):
        return ()
    examples = found.examples("a known one", "the run")
    cure = "write ids as in training"
    if found.few:
        few = f"only {found.matched:,} of the {len(items):,} items of the log are"
        few = few if found.matched else f"none of the {len(items):,} items of the log is"
        raise DataError(
            f"{name}: {few} known; {examples}; {cure}, or describe new items by --items"
        )
    told = f"; if they are the same items, {cure}" if len(found.alike) else ""
    return (
        f"{Path(name).name}: {len(found.missing):,} of {len(items):,} items of the log are new and "
        f"have no row in --items; {examples}{told}",
    )


def compare_new_users(users: pl.Series, known: pl.Series, *, name: str) -> tuple[str, ...]:
    """Return a warning if hardly any user of the new log `name` is known; new ones are no fault."""
    found = _sides(users, known)
    if not hardly_any(found.matched, len(users), len(known)):
        return ()
    examples = found.examples("a known one", "the run's data")
    return (
        f"warning: {Path(name).name}: {len(found.missing):,} of {len(users):,} users of the log "
        f"are new; {examples}; if they are known users, write ids as in training",
    )


class _Sides(NamedTuple):
    """Two sides of ids: what one has alone, what differs only in writing, and whether few match."""

    missing: pl.Series
    spare: pl.Series
    alike: pl.DataFrame
    matched: int
    few: bool

    def examples(self, one: str, other: str) -> str:
        """Return an example of either side, whose ids are called `one` and which is `other`."""
        if len(self.alike):
            pair = self.alike.row(0)
            return (
                f"{len(self.alike):,} of them differ from {one} only by case, spaces, leading "
                f"zeros, .0 or the Unicode form, as {pair[0]!r} in the log does from {pair[1]!r} "
                f"in {other}"
            )
        spare = f", {other} {self.spare[0]!r}" if len(self.spare) else ""
        return f"the log has {self.missing[0]!r}{spare}"


def _sides(ids: pl.Series, known: pl.Series) -> _Sides:
    """Compare the distinct ids of a log with those of another side."""
    missing, spare = (
        one.filter(~one.is_in(other.implode())) for one, other in ((ids, known), (known, ids))
    )
    alike, most = _written_otherwise(missing, spare), min(len(ids), len(known))
    matched = len(ids) - len(missing)
    few = hardly_any(matched, len(ids), len(known)) or (
        2 * matched < most and 2 * len(alike) > most - matched
    )
    return _Sides(missing, spare, alike, matched, few)


def _written_otherwise(missing: pl.Series, spare: pl.Series) -> pl.DataFrame:
    """Return the pairs of an item and a row whose ids are equal but for how they are written."""
    plain = (
        pl.col("id")
        .str.normalize("NFC")
        .str.strip_chars()
        .str.to_lowercase()
        .str.strip_suffix(".0")
        .str.strip_chars_start("0")
    )
    items, rows = (
        one.alias("id").to_frame().with_columns(plain=plain).unique("plain", keep="first")
        for one in (missing, spare)
    )
    return items.join(rows, on="plain").select("id", "id_right").sort("id")
