"""Who is compared with whom in a table: rows of the same protocol, data and users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from solidrec.designs import DESIGNS
from solidrec.errors import UsageError, nearest
from solidrec.experiments.tables.measured import Measured

TESTED = ("UAUC", "NDCG@10")
MODEL, BACKBONE = "model.name", "model.backbone.name"
REFERENCES = {name: DESIGNS[name].references for name in DESIGNS.own if DESIGNS[name].references}
"""What each SOLID model is compared with: its base first, static, its trunk, trunk and branch."""
LOWER = ("LogLoss",)
"""Metrics that are better when smaller: never tested, so a positive difference is always a gain."""


@final
@dataclass(frozen=True)
class Comparison:
    """`one` less `other` in a metric, over ``pairs``; several pairs (backbones) are averaged first.

    ``base``: whether `other` is the first of the `REFERENCES` of `one` or the table's reference.
    """

    one: str
    other: str
    metric: str
    pairs: tuple[tuple[Measured, Measured], ...]
    base: bool = True


def comparisons(
    rows: Sequence[Measured], *, reference: str | None = None, metrics: Sequence[str] = TESTED
) -> list[Comparison]:
    """Return a table's comparisons: SOLID rows with their references, per backbone and averaged.

    Where no label names a SOLID model, or a `reference` is given, each row is compared with that
    row (the first by default). Raises `UsageError` for a reference that is no row, for a metric
    that is better when smaller, and as `alike` does.
    """
    alike(rows)
    for metric in metrics:
        if metric in LOWER:
            raise UsageError(
                f"{metric}: is better when smaller and not tested; choose from "
                f"{', '.join(TESTED)}, ..."
            )
    if not rows:
        return []
    pairs = _solid_pairs(rows) if reference is None else []
    if not pairs:
        base = rows[0] if reference is None else _row(rows, reference)
        return [
            Comparison(row.name, base.name, metric, ((row, base),))
            for metric in metrics
            for row in rows
            if row is not base
        ]
    single = [((one.name, other.name), ((one, other),)) for one, other in pairs]
    every = (*single, *_over_backbones(pairs))
    return [
        Comparison(*names, metric, of, base=_is_base(*of[0]))
        for metric in metrics
        for names, of in every
    ]


def _row(rows: Sequence[Measured], name: str) -> Measured:
    named = {row.name: row for row in rows}
    if name not in named:
        raise UsageError(f"reference {name}: is no row{nearest(name, list(named))}")
    return named[name]


def comparisons_between(
    a: Sequence[Measured], b: Sequence[Measured], metrics: Sequence[str]
) -> list[Comparison]:
    """Return the comparisons of rows of the same name in two results, the second less the first.

    Raises `UsageError` naming both if protocol, data or users differ, if no name is common, and as
    `alike` does for either.
    """
    alike(a)
    alike(b)
    of_b = {row.name: row for row in b}
    pairs = [(of_b[row.name], row) for row in a if row.name in of_b]
    if not pairs:
        names, others = (", ".join(row.name for row in rows) or "none" for rows in (a, b))
        raise UsageError(
            f"no row of the one is in the other: {names} against {others}; compare results of one "
            "experiment"
        )
    for second, first in pairs:
        _same(first, second, of_a=" of the first", of_b=" of the second")
    return [
        Comparison(f"{one.name}, second", "first", metric, ((one, other),))
        for metric in metrics
        for one, other in pairs
    ]


def references_of(labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the labels of the rows that a SOLID row is compared with; none for other rows.

    >>> references_of({"model.name": "solid-apg"})[0], references_of({"model.name": "apg"})
    ({'model.name': 'apg'}, [])
    """
    return [{**labels, MODEL: name} for name in REFERENCES.get(labels.get(MODEL, ""), ())]


def _solid_pairs(rows: Sequence[Measured]) -> list[tuple[Measured, Measured]]:
    """Return each SOLID row with each of its references that has the same other labels."""
    return [
        (one, other)
        for one in rows
        for wanted in references_of(one.labels)
        for other in rows
        if dict(other.labels) == wanted
    ]


def _is_base(one: Measured, other: Measured) -> bool:
    return other.labels[MODEL] == REFERENCES[one.labels[MODEL]][0]


def _over_backbones(
    pairs: Sequence[tuple[Measured, Measured]],
) -> Iterator[tuple[tuple[str, str], tuple[tuple[Measured, Measured], ...]]]:
    """Yield groups of two or more pairs that differ only in backbone, with names for their mean."""
    groups: dict[tuple[frozenset[tuple[str, str]], str], list[tuple[Measured, Measured]]] = {}
    for one, other in pairs:
        if BACKBONE in one.labels:
            beside = frozenset(item for item in one.labels.items() if item[0] != BACKBONE)
            groups.setdefault((beside, other.labels[MODEL]), []).append((one, other))
    for (_, other_model), of in groups.items():
        if len(of) > 1:
            labels = of[0][0].labels
            rest = " · ".join(
                value for key, value in labels.items() if key not in (MODEL, BACKBONE)
            )
            one_name, other_name = (
                " · ".join(filter(None, (f"mean of {len(of)} backbones", name, rest)))
                for name in (labels[MODEL], other_model)
            )
            yield (one_name, other_name), tuple(of)


def alike(rows: Sequence[Measured]) -> None:
    """Raise `UsageError` unless all rows share protocol, data and users and differ in name."""
    for row in rows[1:]:
        _same(rows[0], row)
    names = [row.name for row in rows]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise UsageError(f"{twice[0]}: several rows have this name; give each one of its own")


def _same(a: Measured, b: Measured, *, of_a: str = "", of_b: str = "") -> None:
    """Raise `UsageError`, naming both rows and their origin, if they cannot be compared."""
    one, other = f"{a.name}{of_a}", f"{b.name}{of_b}"
    if a.protocol != b.protocol:
        raise UsageError(
            f"{one} has protocol {a.protocol}, {other} {b.protocol}; two protocols make two tables"
        )
    if a.data != b.data:
        raise UsageError(
            f"{one} was measured on data {a.data}, {other} on {b.data}; use the same prepared "
            "folder"
        )
    if not np.array_equal(a.users, b.users):
        raise UsageError(
            f"{one} was measured on {len(a.users):,} users, {other} on {len(b.users):,} others; "
            "use the same users"
        )
