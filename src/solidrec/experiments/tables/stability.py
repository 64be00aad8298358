"""Table 4 of an experiment: how much answers change when one event of a history changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from solidrec.arrays import Array
from solidrec.artifacts import write_table
from solidrec.evaluate.perturb import PERTURBATIONS
from solidrec.evaluate.stability import METRICS, PLACES, Stability
from solidrec.experiments.grid import Row
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Record, Results
from solidrec.experiments.tables.comparisons import MODEL, comparisons
from solidrec.experiments.tables.contrasts import Contrast, contrasts
from solidrec.experiments.tables.measure import MeasureTable, Number
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.result_text import contrasts_grid
from solidrec.experiments.users import users_file
from solidrec.text_grid import NONE, Grid

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
    write_table(users_file(out, key, STABILITY), pl.DataFrame(columns).fill_nan(None))


def steadiness(plan: Plan, results: Results) -> list[Measured]:
    """Return rows of steadiness (a user's variance with a minus), where the variances are kept."""
    frames = {place: _steady(frame) for place, frame in results.kept(plan, STABILITY).items()}
    names = [name_of(metric) for metric in METRICS]
    rows = []
    for row, places in plan.by_row(frames):
        own = {place.seed: frames[place] for place in places}
        means = [
            {name: float(np.nanmean(frame[name].to_numpy())) for name in names}
            for frame in own.values()
        ]
        rows.append(
            Measured.of_frames(row.name, row.labels, own, means, protocol=STABILITY, data=plan.data)
        )
    return rows


def _steady(variances: pl.DataFrame) -> pl.DataFrame:
    """Return each ``user``'s steadiness, a mean over targets, in a column per metric."""
    columns = {name_of(metric): -THOUSAND * pl.col(f"variance {metric}") for metric in METRICS}
    return variances.group_by("user").mean().sort("user").select("user", **columns)


def name_of(metric: str) -> str:
    """Return the name of the steadiness of a metric."""
    return f"steadiness of {metric}"


def steadiness_contrasts(rows: Sequence[Measured]) -> list[Contrast]:
    """Return the paired tests of steadiness of each SOLID row, corrected together."""
    return contrasts(comparisons(rows, metrics=[name_of(metric) for metric in METRICS]))


def stability_table(plan: Plan, results: Results) -> MeasureTable | None:
    """Return Table 4, its test and the other perturbations; None if nothing is measured."""
    cells = results.cells(plan, "measures", STABILITY)
    if not cells:
        return None
    rows = [(row, [cells[place] for place in places]) for row, places in plan.by_row(cells)]
    measured = steadiness(plan, results)
    gone = len(cells) - sum(len(row.seeds) for row in measured)
    found = steadiness_contrasts(measured)
    grids = [_spread_grid(plan.title, metric, rows) for metric in METRICS]
    grids += [contrasts_grid(f"{plan.title}: comparisons", found)] if found else []
    grids.append(_perturbation_grid(plan.title, rows))
    first = rows[0][1][0]
    notes = [_HOW.format(draws=first["draws"], users=first["users"]), _SCALE]
    notes += [_TESTED] if found else []
    notes += [_GONE.format(count=gone)] if gone else []
    numbers = tuple(
        Number(row.name, place.seed, quantity, value)
        for row, places in plan.by_row(cells)
        for place in places
        for quantity, value in _quantities(cells[place])
    )
    return MeasureTable("stability", "Stability", tuple(grids), tuple(notes), numbers)


def _spread_grid(title: str, metric: str, rows: Sequence[tuple[Row, Sequence[Record]]]) -> Grid:
    """Return Table 4: four statistics of a variance, mean over seeds, UAUC beside the paper's."""
    papers = {row.name: _PAPER.get(row.labels.get(MODEL, "")) for row, _ in rows}
    beside = metric == METRICS[0] and any(papers.values())
    lines = []
    for row, found in rows:
        of = [_mean([one["variance"][metric][key] for one in found], THOUSAND) for key in _SPREAD]
        printed = papers[row.name]
        paper = [f"{value:.2f}" for value in printed] if printed else [NONE] * len(_SPREAD)
        lines.append((row.name, *of, *(paper if beside else ())))
    heads = ("", *_SPREAD, *(f"paper: {key}" for key in (_SPREAD if beside else ())))
    return Grid.of(f"{title}: variance of a user's {metric}, in thousandths", heads, lines)


def _perturbation_grid(title: str, rows: Sequence[tuple[Row, Sequence[Record]]]) -> Grid:
    """Return each perturbation's overlap of the first answers, change of AUC, weight distance."""
    wanted = (f"RBO@{PLACES}", "AUC change", "weights")
    lines = [
        (row.name, *(_mean([one["perturbations"][kind][what] for one in found]) for what in wanted))
        for kind in PERTURBATIONS
        for row, found in rows
    ]
    blocks = [kind for kind in PERTURBATIONS for _ in rows]
    heads = ("", *wanted)
    return Grid.of(
        f"{title}: one event swapped, dropped, repeated or added", heads, lines, blocks=blocks
    )


def _mean(values: Sequence[float | None], scale: float = 1) -> str:
    """Format the mean over seeds.

    >>> _mean([0.25, 0.75]), _mean([None])
    ('0.500', '-')
    """
    found = [value for value in values if value is not None]
    return f"{scale * float(np.mean(found)):.3f}" if found else NONE


def _quantities(record: Record) -> Iterator[tuple[str, float | None]]:
    """Yield every number of a cell, as measured."""
    for metric, of in record["variance"].items():
        yield from ((f"variance {metric} {key}", value) for key, value in of.items())
    for kind, of in record["perturbations"].items():
        yield from ((f"{kind} {what}", value) for what, value in of.items())
