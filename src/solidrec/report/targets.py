"""Metrics by kind of target: seen in training never, one to four times, or more often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from solidrec.evaluate.result import GROUP_METRICS, GROUPS
from solidrec.report.material import Material
from solidrec.report.section import Section, Tables
from solidrec.text_grid import NONE, Entry, Grid

_RANGES = {"cold": "never in training", "rare": "1 to 4 times", "warm": "5 times or more"}
_FEW = 50
"""Number of targets below which a mean is called an anecdote."""
Groups = Mapping[str, Mapping[str, Any]]


def targets(of: Material) -> Section:
    """Return a table per protocol: each row's metrics by kind of target, means over seeds."""
    protocols = {protocol: _rows_of(of, protocol) for protocol in of.plan.protocols}
    return Section(tables=[_one(of, name, found) for name, found in protocols.items() if found])


def _one(of: Material, protocol: str, found: Mapping[str, list[Groups]]) -> Tables:
    """Return the table of one protocol, given the groups of each row and seed."""
    counts = {name: int(next(iter(found.values()))[0][name]["targets"]) for name in GROUPS}
    columns = [(group, metric) for group in GROUPS if counts[group] for metric in GROUP_METRICS]
    means = {row: [_mean(seeds, *column) for column in columns] for row, seeds in found.items()}
    best = [
        _top(values) if counts[group] >= _FEW else None
        for (group, _), *values in zip(columns, *means.values(), strict=True)
    ]
    grid = Grid(
        f"Targets by how often they occur in training, protocol {protocol}",
        ("", *(f"{group} {metric}" for group, metric in columns)),
        tuple((Entry(row), *map(_part, values, best)) for row, values in means.items()),
        tuple(of.blocks.get(row, "") for row in means),
    )
    return Tables([grid], [_note(counts)], looks=of.looks)


def _note(counts: Mapping[str, int]) -> str:
    """Say what each group is, how many targets it has, and whether these are few."""
    said = "; ".join(f"{name} ({_RANGES[name]}): {counts[name]:,} targets" for name in GROUPS)
    if any(0 < count < _FEW for count in counts.values()):
        said += f". Of fewer than {_FEW} targets a mean is an anecdote, and no value is marked"
    return f"{said}."


def _rows_of(of: Material, protocol: str) -> dict[str, list[Groups]]:
    """Return the groups of each row's finished cells, seed by seed."""
    found: dict[str, list[Groups]] = {}
    for place in of.plan.places:
        evaluation = of.results.records.get(place.key, {}).get("evaluations", {}).get(protocol)
        if evaluation is not None and "targets" in evaluation:
            found.setdefault(place.row, []).append(evaluation["targets"])
    return found


def _mean(seeds: list[Groups], group: str, metric: str) -> float | None:
    """Return the mean of a group's metric over seeds, None where nothing could be ranked."""
    values: list[Any] = [each[group].get(metric) for each in seeds]
    return None if None in values else float(np.mean(values))


def _top(values: Sequence[float | None]) -> float | None:
    """Return the best value, None if there is no other to compare it with."""
    known = [value for value in values if value is not None]
    return max(known) if len(known) > 1 else None


def _part(value: float | None, best: float | None) -> Entry:
    """Return one cell of the table."""
    return Entry(NONE) if value is None else Entry(f"{value:.4f}", bold=value == best)
