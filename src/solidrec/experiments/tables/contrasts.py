"""Differences between rows of a table: paired over users and seeds, Holm-corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from solidrec.arrays import Array
from solidrec.errors import UsageError, nearest
from solidrec.evaluate.significance import MODELS_ONLY, Estimate, corrected, crossed, earns_star
from solidrec.experiments.tables.comparisons import TESTED, Comparison, comparisons_between
from solidrec.experiments.tables.measured import Measured


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
        sides = {"one": of.one, "other": of.other, "metric": of.metric}
        return sides | found | {"p": self.p, "star": self.star, "note": self.note}


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
    trained = _trained(comparison)
    seeds = sorted(set.intersection(*(set(row.seeds) for row in trained))) if trained else []
    if trained and not seeds:
        return None
    gaps = [
        _values(one, comparison.metric, seeds) - _values(other, comparison.metric, seeds)
        for one, other in comparison.pairs
    ]
    # (pairs, S, U) averaged over backbones.
    gap = np.mean(gaps, axis=0)
    return None if np.isnan(gap).any(0).all() else crossed(gap, trained=bool(trained))


def _trained(comparison: Comparison) -> list[Measured]:
    return [row for pair in comparison.pairs for row in pair if not row.deterministic]


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
    most = max((len(row.seeds) for row in _trained(comparison)), default=found.seeds)
    return "" if found.seeds == most else f"{found.seeds} common seeds of {most}"


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

    Raises `UsageError` as `comparisons_between` does.
    """
    found = tuple(contrasts(comparisons_between(a, b, metrics)))
    names_a, names_b = ([row.name for row in rows] for rows in (a, b))
    return Compared(
        found,
        only_a=tuple(name for name in names_a if name not in names_b),
        only_b=tuple(name for name in names_b if name not in names_a),
    )
