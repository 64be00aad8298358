"""How well each row serves users of few events, tested against a reference and its own trunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from solidrec.artifacts import write_table
from solidrec.evaluate.few_events import METRICS, TRUNK, WHOLE
from solidrec.evaluate.result import Evaluation
from solidrec.experiments.results import USERS, Place, Plan, Results, cure_of, read_frame
from solidrec.experiments.tables.contrasts import Comparison, comparisons, contrasts
from solidrec.experiments.tables.measure import MeasureTable, Number
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.result_table import TableCell
from solidrec.experiments.tables.text import Entry, Grid, contrasts_grid, mean_text

FEW_EVENTS = "few-events"
_HOW = (
    "Every test target is ranked from the last events before it alone, among the sampled items of "
    "protocol paper. A trunk alone answers with the weights of a group of users (Eq. 11)."
)
_TESTED = (
    "Paired over the same users, and over seeds where there are several; p after Holm for all "
    "tests of this table."
)
_GONE = "The values of every user are not kept for {count} of the cells, which are left out."
Found = Mapping[str, Mapping[int, Evaluation]]


def write_few_events(
    out: Path, key: str, found: Found
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Write the metrics of every user; return means by variant, number of events, metric."""
    users = np.unique(next(iter(next(iter(found.values())).values())).users)
    columns = {
        _column(variant, events, metric): evaluation.per_user[metric]
        for variant, of in found.items()
        for events, evaluation in of.items()
        for metric in METRICS
    }
    write_table(_few_events_file(out, key), pl.DataFrame({"user": users, **columns}))
    return {
        variant: {
            str(events): {metric: evaluation.metrics[metric] for metric in METRICS}
            for events, evaluation in of.items()
        }
        for variant, of in found.items()
    }


def _few_events_file(out: Path, key: str) -> Path:
    """Return the file with the metrics of every user."""
    return out / USERS / f"{key}-{FEW_EVENTS}.parquet"


def _column(variant: str, events: int, metric: str) -> str:
    """Return the name of a column in that file."""
    return f"{variant} {events} {metric}"


def few_events_table(plan: Plan, results: Results) -> MeasureTable | None:
    """Return means over seeds per number of events and their comparisons, or None if unmeasured."""
    rows = _rows_by_events(plan, results)
    if not rows:
        return None
    family = [
        each for events, found in rows.items() for each in _family_of(found, plan.reference, events)
    ]
    lines = [(_events_words(events), _line(row)) for events, found in rows.items() for row in found]
    blocks, parts = zip(*lines, strict=True)
    grids = [Grid(f"{plan.title}: by events known", ("", *METRICS), parts, blocks)]
    grids += [contrasts_grid(f"{plan.title}: comparisons", contrasts(family))] if family else []
    numbers = tuple(
        Number(row.name, seed, f"{_events_words(events)}, {metric}", value)
        for events, found in rows.items()
        for row in found
        for metric in METRICS
        for seed, value in zip(row.seeds, row.of_seeds(metric) or (), strict=False)
    )
    gone = len(_measured(plan, results)) - sum(
        len(_finished(plan, results, row.name)) for row in plan.rows
    )
    notes = (_HOW, *((_TESTED,) if family else ()), *((_GONE.format(count=gone),) if gone else ()))
    return MeasureTable(FEW_EVENTS, "Few events", tuple(grids), notes, numbers)


def _numbers_of_events(plan: Plan, results: Results) -> list[int]:
    """Return the numbers of events that every finished cell was measured with."""
    places = [place for row in plan.rows for place in _finished(plan, results, row.name)]
    each = [
        set(map(int, results.records[place.key]["measures"][FEW_EVENTS][WHOLE])) for place in places
    ]
    return sorted(set.intersection(*each)) if each else []


def _finished(plan: Plan, results: Results, row: str) -> list[Place]:
    """Return the cells of a row that were measured and whose values of users are kept."""
    return [
        each
        for each in _measured(plan, results)
        if each.row == row and _few_events_file(results.out, each.key).is_file()
    ]


def _measured(plan: Plan, results: Results) -> list[Place]:
    """Return the cells that were measured."""
    return [
        each
        for each in plan.places
        if FEW_EVENTS in results.records.get(each.key, {}).get("measures", {})
    ]


def _rows_by_events(plan: Plan, results: Results) -> dict[int, list[Measured]]:
    """Return rows and trunks alone at each number of events, reading every file of users once."""
    frames = {
        place.key: read_frame(
            _few_events_file(results.out, place.key), cure=cure_of(results.out, place.key)
        )
        for row in plan.rows
        for place in _finished(plan, results, row.name)
    }
    return {
        events: _rows_at(plan, results, frames, events)
        for events in _numbers_of_events(plan, results)
    }


def _rows_at(
    plan: Plan, results: Results, frames: Mapping[str, pl.DataFrame], events: int
) -> list[Measured]:
    """Return the rows at a number of events; `frames` has the values of users by cell."""
    found = []
    for row in plan.rows:
        places = _finished(plan, results, row.name)
        for variant, name in ((WHOLE, row.name), (TRUNK, f"{row.name}, {TRUNK}")):
            cells = [
                place
                for place in places
                if variant in results.records[place.key]["measures"][FEW_EVENTS]
            ]
            if not cells:
                continue
            users, seeds = (
                frames[cells[0].key]["user"].to_numpy(),
                tuple(each.seed for each in cells),
            )
            per_user = {
                m: np.stack(
                    [frames[each.key][_column(variant, events, m)].to_numpy() for each in cells]
                )
                for m in METRICS
            }
            means = tuple(
                results.records[each.key]["measures"][FEW_EVENTS][variant][str(events)]
                for each in cells
            )
            found.append(
                Measured(name, row.labels, seeds, FEW_EVENTS, plan.data, users, means, per_user)
            )
    return found


def _family_of(rows: Sequence[Measured], reference: str | None, events: int) -> list[Comparison]:
    """Return the comparisons of rows with the reference and of whole models with their trunks."""
    named = {row.name: row for row in rows}
    found = comparisons(rows, reference=reference or rows[0].name, metrics=METRICS) if rows else []
    found += [
        Comparison(name, f"{name}, {TRUNK}", metric, ((row, named[f"{name}, {TRUNK}"]),))
        for metric in METRICS
        for name, row in named.items()
        if f"{name}, {TRUNK}" in named
    ]
    return [replace(each, one=f"{each.one}, {_events_words(events)}") for each in found]


def _line(row: Measured) -> tuple[Entry, ...]:
    """Return one line: means over seeds, with their spread where there are several."""
    cells = (
        TableCell(m, row.mean(m), row.spread(m), None, None, star=False, best=False, paper=None)
        for m in METRICS
    )
    return (Entry(row.name), *(Entry(mean_text(cell)) for cell in cells))


def _events_words(events: int) -> str:
    """Format a number of events.

    >>> _events_words(1), _events_words(5)
    ('1 event', '5 events')
    """
    return f"{events} event{'' if events == 1 else 's'}"
