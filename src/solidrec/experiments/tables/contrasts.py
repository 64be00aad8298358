"""Comparisons between rows of a table: paired over users and seeds, Holm-corrected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from solidrec.arrays import Array
from solidrec.designs import DESIGNS
from solidrec.errors import UsageError, nearest
from solidrec.evaluate.significance import MODELS_ONLY, Estimate, corrected, crossed, earns_star
from solidrec.experiments.tables.measured import Measured

TESTED = ("UAUC", "NDCG@10")
MODEL, BACKBONE = "model.name", "model.backbone"
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


@final
@dataclass(frozen=True)
class Contrast:
    """A comparison's result: ``p`` is Holm-corrected, ``found`` is None without a common seed."""

    comparison: Comparison
    found: Estimate | None
    p: float | None
    note: str

    @property
    def star(self) -> bool:
        """Whether `one` is better than `other` beyond chance."""
        return self.found is not None and earns_star(self.found.mean, self.p)

    @property
    def worse(self) -> bool:
        """Whether `one` is worse than `other` beyond chance."""
        return self.found is not None and earns_star(-self.found.mean, self.p)

    def plain(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        of = self.comparison
        found = {} if self.found is None else asdict(self.found)
        return (
            {"one": of.one, "other": of.other, "metric": of.metric}
            | found
            | {"p": self.p, "star": self.star, "note": self.note}
        )


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
    pairs = list(_solid_pairs(rows)) if reference is None else []
    if not pairs:
        base = _row(rows, reference) if reference is not None else rows[0]
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


def contrasts(family: Sequence[Comparison]) -> list[Contrast]:
    """Estimate all comparisons, correcting p for all of them together."""
    found = [_estimate(comparison) for comparison in family]
    p = corrected([None if each is None else each.p for each in found])
    return [Contrast(*each, _note(*each[:2])) for each in zip(family, found, p, strict=True)]


def _estimate(comparison: Comparison) -> Estimate | None:
    """Estimate the difference over common users and seeds, None where there is none in common.

    Seeds are paired by their number. Beside a deterministic row the seeds of the other count;
    between two deterministic rows only users vary.
    """
    trained = [row for pair in comparison.pairs for row in pair if not row.deterministic]
    seeds = _common_seeds(trained)
    if trained and not seeds:
        return None
    gaps = [
        _values(one, comparison.metric, seeds) - _values(other, comparison.metric, seeds)
        for one, other in comparison.pairs
    ]
    # (pairs, S, U) averaged over backbones.
    gap = np.mean(gaps, axis=0)
    return None if np.isnan(gap).any(0).all() else crossed(gap, trained=bool(trained))


def references_of(labels: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the labels of the rows that a SOLID row is compared with; none for other rows.

    >>> references_of({"model.name": "solid-apg"})[0], references_of({"model.name": "apg"})
    ({'model.name': 'apg'}, [])
    """
    return [{**labels, MODEL: name} for name in REFERENCES.get(labels.get(MODEL, ""), ())]


def _common_seeds(rows: Sequence[Measured]) -> tuple[int, ...]:
    """Return the seeds that all rows have, in order."""
    return tuple(sorted(set.intersection(*(set(row.seeds) for row in rows)))) if rows else ()


def _values(row: Measured, metric: str, seeds: Sequence[int]) -> Array:
    """Return a metric (S, U), or (1, U) if deterministic; raise `UsageError` if it is missing."""
    if metric not in row.per_user:
        raise UsageError(
            f"{row.name}: {metric} has no value of each user{nearest(metric, row.per_user)}"
        )
    of = row.per_user[metric]
    return of[:1] if row.deterministic else of[[row.seeds.index(seed) for seed in seeds]]


def _note(comparison: Comparison, found: Estimate | None) -> str:
    """Return what limits a difference, such as few common seeds; empty if nothing does."""
    if found is None:
        return "no common seed, or nobody with anything to rank"
    if not found.about_method:
        return MODELS_ONLY
    most = max(
        (len(row.seeds) for pair in comparison.pairs for row in pair if not row.deterministic),
        default=found.seeds,
    )
    return "" if found.seeds == most else f"{found.seeds} common seeds of {most}"


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


@final
@dataclass(frozen=True)
class Compared:
    """Two results compared: b less a for each row that both have, and the names in only one."""

    contrasts: tuple[Contrast, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def compare_rows(
    a: Sequence[Measured], b: Sequence[Measured], *, metrics: Sequence[str] = TESTED
) -> Compared:
    """Compare rows of the same name in two results, the second less the first, as one family.

    Raises `UsageError` naming both if protocol, data or users differ, if no name is common, and as
    `alike` does for either.
    """
    alike(a)
    alike(b)
    of_b = {row.name: row for row in b}
    pairs = [(of_b[row.name], row) for row in a if row.name in of_b]
    if not pairs:
        raise UsageError(
            f"no row of the one is in the other: {_names(a)} against {_names(b)}; compare results "
            "of one experiment"
        )
    for second, first in pairs:
        _same(first, second, of_a=" of the first", of_b=" of the second")
    family = [
        Comparison(f"{one.name}, second", "first", metric, ((one, other),))
        for metric in metrics
        for one, other in pairs
    ]
    names = {row.name for row in a}
    only_a = tuple(row.name for row in a if row.name not in of_b)
    return Compared(
        tuple(contrasts(family)), only_a, tuple(row.name for row in b if row.name not in names)
    )


def _solid_pairs(rows: Sequence[Measured]) -> Iterator[tuple[Measured, Measured]]:
    """Yield each SOLID row with each of its references that has the same other labels."""
    for one in rows:
        for wanted in references_of(one.labels):
            yield from ((one, other) for other in rows if dict(other.labels) == wanted)


def _is_base(one: Measured, other: Measured) -> bool:
    return other.labels[MODEL] == REFERENCES[one.labels[MODEL]][0]


def _over_backbones(
    pairs: Sequence[tuple[Measured, Measured]],
) -> Iterator[tuple[tuple[str, str], tuple[tuple[Measured, Measured], ...]]]:
    """Yield groups of two or more pairs that differ only in backbone, with names for their mean."""
    groups: dict[tuple[tuple[tuple[str, str], ...], str], list[tuple[Measured, Measured]]] = {}
    for one, other in pairs:
        if BACKBONE in one.labels:
            groups.setdefault((_beside(one.labels), other.labels[MODEL]), []).append((one, other))
    for (_, other_model), of in groups.items():
        if len(of) > 1:
            model = of[0][0].labels[MODEL]
            rest = " · ".join(
                value for key, value in of[0][0].labels.items() if key not in (MODEL, BACKBONE)
            )
            names = [
                " · ".join(filter(None, (f"mean of {len(of)} backbones", name, rest)))
                for name in (model, other_model)
            ]
            yield (names[0], names[1]), tuple(of)


def _beside(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value) for key, value in labels.items() if key != BACKBONE))


def _row(rows: Sequence[Measured], name: str) -> Measured:
    found = next((row for row in rows if row.name == name), None)
    if found is None:
        raise UsageError(f"reference {name}: is no row{nearest(name, [row.name for row in rows])}")
    return found


def _names(rows: Sequence[Measured]) -> str:
    return ", ".join(row.name for row in rows) or "none"
