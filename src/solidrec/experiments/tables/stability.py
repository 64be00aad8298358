"""Table 4 of an experiment: how much answers change when one event of a history changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from solidrec.arrays import Array
from solidrec.artifacts import write_table
from solidrec.evaluate.perturb import PERTURBATIONS
from solidrec.evaluate.stability import METRICS, PLACES, Stability
from solidrec.experiments.results import USERS, Place, Plan, Record, Results, cure_of, read_frame
from solidrec.experiments.tables.contrasts import Contrast, comparisons, contrasts
from solidrec.experiments.tables.measure import MeasureTable, Number
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.text import NONE, Entry, Grid, contrasts_grid

STABILITY = "stability"
_SPREAD = ("median", "mean", "min", "max")
_PAPER = {"duet": (0.35, 0.42, 0.08, 0.69), "solid-duet": (0.26, 0.29, 0.03, 0.47)}
"""Table 4 of the paper: the variance of UAUC on Arts with SASRec, as `_SPREAD`."""
THOUSAND = 1000
"""Variances are shown in thousandths: in [0, 1] they are at most .25, of good models far less."""
_HOW = (
    "Of each user {draws} histories with one more event, an item drawn uniformly from the "
    "catalogue; the variance of the user's AUC and NDCG@10 over these, in thousandths, and its "
    "median, mean, minimum and maximum over {users:,} test users."
)
_SCALE = (
    "The paper's Table 4 is shown as printed: its scale is not known (the variance of numbers in "
    "[0, 1] is at most .25, its mean is .42), so only the order and the ratio compare."
)
_TESTED = (
    "Tested is steadiness, a user's variance with a minus, in thousandths, so that a positive "
    "difference means steadier: paired over the same users, and over seeds where there are "
    "several; p after Holm for all tests of this table."
)
_GONE = (
    "The variance of every user is not kept for {count} of the cells, so they take no part in the "
    "test and the chart."
)


def write_stability(out: Path, key: str, found: Stability) -> None:
    """Write the user, the variances and the effects of perturbations of every test row."""
    columns: dict[str, Array] = {"user": found.users}
    columns |= {f"variance {metric}": values for metric, values in found.variance.items()}
    columns |= {f"{kind} RBO@{PLACES}": values for kind, values in found.overlap.items()}
    columns |= {f"{kind} AUC change": values for kind, values in found.change.items()}
    columns |= {f"{kind} weights": values for kind, values in (found.distance or {}).items()}
    write_table(_stability_file(out, key), pl.DataFrame(columns).fill_nan(None))


def _stability_file(out: Path, key: str) -> Path:
    """Return the file with the stability of every user."""
    return out / USERS / f"{key}-{STABILITY}.parquet"


def _variances(out: Path, key: str) -> dict[str, Array] | None:
    """Return ``user`` (U,) and each metric's variance (U,), a mean over targets; None if gone."""
    path = _stability_file(out, key)
    if not path.is_file():
        return None
    frame = read_frame(path, cure=cure_of(out, key))
    frame = frame.group_by("user").mean().sort("user")
    return {"user": frame["user"].to_numpy()} | {
        metric: frame[f"variance {metric}"].to_numpy() for metric in METRICS
    }


def steadiness(plan: Plan, results: Results) -> list[Measured]:
    """Return rows of steadiness (a user's variance with a minus), where the variances are kept."""
    rows = []
    for row in plan.rows:
        found = {
            place: values
            for place in _finished(plan, results, row.name)
            if (values := _variances(results.out, place.key))
        }
        if not found:
            continue
        users = next(iter(found.values()))["user"]
        per_user = {
            name_of(metric): np.stack([-THOUSAND * one[metric] for one in found.values()])
            for metric in METRICS
        }
        means = tuple(
            {name: float(np.nanmean(values[at])) for name, values in per_user.items()}
            for at in range(len(found))
        )
        seeds = tuple(place.seed for place in found)
        rows.append(
            Measured(row.name, row.labels, seeds, STABILITY, plan.data, users, means, per_user)
        )
    return rows


def name_of(metric: str) -> str:
    """Return the name of the steadiness of a metric."""
    return f"steadiness of {metric}"


def _finished(plan: Plan, results: Results, row: str) -> list[Place]:
    """Return the cells of a row whose stability was measured."""
    return [
        place
        for place in plan.places
        if place.row == row and STABILITY in results.records.get(place.key, {}).get("measures", {})
    ]


def steadiness_contrasts(rows: Sequence[Measured]) -> list[Contrast]:
    """Return the paired tests of steadiness of each SOLID row, corrected together."""
    return contrasts(comparisons(rows, metrics=[name_of(metric) for metric in METRICS]))


def stability_table(plan: Plan, results: Results) -> MeasureTable | None:
    """Return Table 4, its test and the other perturbations; None if nothing is measured."""
    cells = [
        (row.name, _finished(plan, results, row.name)) for row in plan.rows if row.baseline is None
    ]
    cells = [(name, places) for name, places in cells if places]
    if not cells:
        return None
    records = {
        name: [results.records[place.key]["measures"][STABILITY] for place in places]
        for name, places in cells
    }
    models = {row.name: row.labels.get("model.name", "") for row in plan.rows}
    measured = steadiness(plan, results)
    gone = sum(len(places) for _, places in cells) - sum(len(row.seeds) for row in measured)
    found = steadiness_contrasts(measured)
    grids = [_spread_grid(plan.title, metric, records, models) for metric in METRICS]
    grids += [contrasts_grid(f"{plan.title}: comparisons", found)] if found else []
    first = next(iter(records.values()))[0]
    notes = [_HOW.format(draws=first["draws"], users=first["users"]), _SCALE]
    notes += [_TESTED] if found else []
    notes += [_GONE.format(count=gone)] if gone else []
    return MeasureTable(
        "stability",
        "Stability",
        (*grids, _perturbation_grid(plan.title, records)),
        tuple(notes),
        _numbers(results, cells),
    )


def _spread_grid(
    title: str, metric: str, records: Mapping[str, Sequence[Record]], models: Mapping[str, str]
) -> Grid:
    """Return Table 4: four statistics of a variance, mean over seeds, UAUC beside the paper's."""
    beside = metric == METRICS[0] and any(models[name] in _PAPER for name in records)
    lines = []
    for name, found in records.items():
        of = [_mean([one["variance"][metric][key] for one in found], THOUSAND) for key in _SPREAD]
        paper = [f"{value:.2f}" for value in _PAPER.get(models[name], ())] or [NONE] * len(_SPREAD)
        lines.append(tuple(map(Entry, (name, *of, *(paper if beside else ())))))
    heads = ("", *_SPREAD, *(f"paper: {key}" for key in (_SPREAD if beside else ())))
    return Grid(
        f"{title}: variance of a user's {metric}, in thousandths",
        heads,
        tuple(lines),
        ("",) * len(lines),
    )


def _perturbation_grid(title: str, records: Mapping[str, Sequence[Record]]) -> Grid:
    """Return each perturbation's overlap of the first answers, change of AUC, weight distance."""
    wanted = (f"RBO@{PLACES}", "AUC change", "weights")
    lines, blocks = [], []
    for kind in PERTURBATIONS:
        for name, found in records.items():
            of = [_mean([one["perturbations"][kind][what] for one in found]) for what in wanted]
            lines.append(tuple(map(Entry, (name, *of))))
            blocks.append(kind)
    return Grid(
        f"{title}: one event swapped, dropped, repeated or added",
        ("", *wanted),
        tuple(lines),
        tuple(blocks),
    )


def _mean(values: Sequence[float | None], scale: float = 1) -> str:
    """Format the mean over seeds.

    >>> _mean([0.25, 0.75]), _mean([None])
    ('0.500', '-')
    """
    found = [value for value in values if value is not None]
    return f"{scale * float(np.mean(found)):.3f}" if found else NONE


def _numbers(results: Results, cells: Sequence[tuple[str, Sequence[Place]]]) -> tuple[Number, ...]:
    """Return every number of every cell, as measured."""
    found = []
    for row, places in cells:
        for place in places:
            record = results.records[place.key]["measures"][STABILITY]
            found += [
                Number(row, place.seed, f"variance {metric} {key}", value)
                for metric, of in record["variance"].items()
                for key, value in of.items()
            ]
            found += [
                Number(row, place.seed, f"{kind} {what}", value)
                for kind, of in record["perturbations"].items()
                for what, value in of.items()
            ]
    return tuple(found)
