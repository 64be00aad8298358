"""Ids and rows that should name the same items: notes where some do not, an error where few do."""

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
    missing, spare = (
        one.filter(~one.is_in(other.implode())) for one, other in ((items, rows), (rows, items))
    )
    if not len(missing):
        return Compared()
    alike, most = _written_otherwise(missing, spare), min(len(items), len(rows))
    matched = len(items) - len(missing)
    examples = f"the log has {missing[0]!r}"
    if len(spare):
        examples += f", the file {spare[0]!r}"
    if len(alike):
        pair = alike.row(0)
        examples = (
            f"{len(alike):,} of them differ from a row only by case, spaces, leading zeros, .0 or "
            f"the Unicode form, as {pair[0]!r} in the log does from {pair[1]!r} in the file"
        )
    cure = "write ids alike in both, or name their column by --items-id-column"
    if hardly_any(matched, len(items), len(rows)) or (
        2 * matched < most and 2 * len(alike) > most - matched
    ):
        few = f"only {matched:,} of the {len(items):,} items of the log have"
        few = few if matched else "no item of the log has"
        raise DataError(f"{name}: {few} a row in it; {examples}; {cure}")
    told = f"; if they are the same items, {cure}" if len(alike) else ""
    # a note goes into the manifest, which does not say where files lay
    note = (
        f"{Path(name).name}: {len(missing):,} of {len(items):,} items of the log have no row; "
        f"{examples}{told}"
    )
    return Compared((note,), len(alike))


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
