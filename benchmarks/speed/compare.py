"""Compare rows with those of peers in the same run, and with those of an earlier run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from speed.measurement import Row


class Change(NamedTuple):
    """A figure in two runs; a ``factor`` above 1 is an improvement."""

    name: str
    unit: str
    threads: int
    before: float
    after: float
    factor: float


def better(row: Row, other: Row) -> float:
    """Return how many times better `row` is than `other`, for rates and times above 0.

    >>> fast, slow = Row("a", 2, "ms/call", 1, 2, 2), Row("b", 6, "ms/call", 1, 6, 6)
    >>> better(fast, slow)
    3.0
    """
    return row.value / other.value if row.more_is_better else other.value / row.value


def with_peers(rows: Sequence[Row], pairs: Mapping[str, Iterable[str]]) -> list[Row]:
    """Give each row its ratios to its peers of the same unit and threads; the best is ``peer``."""
    known = {row.key: row for row in rows if row.value > 0}
    compared = []
    for row in rows:
        others = [
            known[key]
            for name in pairs.get(row.name, ())
            if (key := (name, row.unit, row.threads)) in known
        ]
        if others and row.value > 0:
            ratios = {other.name: better(row, other) for other in others}
            peer = min(ratios, key=ratios.__getitem__)
            row = replace(row, peer=peer, ratio=ratios[peer], ratios=ratios)
        compared.append(row)
    return compared


def changes(before: Sequence[Row], after: Sequence[Row]) -> list[Change]:
    """Return every figure of both runs, the largest loss first, without figures of 0 (0 MB)."""
    known = {row.key: row for row in before if row.value > 0}
    found = [
        Change(*row.key, old.value, row.value, better(row, old))
        for row in after
        if row.value > 0 and (old := known.get(row.key))
    ]
    return sorted(found, key=lambda change: change.factor)


def slower(found: Iterable[Change], *, tolerance: float) -> list[Change]:
    """Return the changes that got worse by more than `tolerance`.

    With 0.2, these are rates below 80 % and times above 125 % of what they were.
    """
    return [change for change in found if change.factor < 1 - tolerance]
