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
from solidrec.experiments.plan import Place, Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.comparisons import Comparison, comparisons
from solidrec.experiments.tables.contrasts import contrasts
from solidrec.experiments.tables.measure import MeasureTable, numbers_of
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.result_table import TableCell
from solidrec.experiments.tables.result_text import contrasts_grid, mean_text
from solidrec.experiments.users import users_file
from solidrec.text_grid import Grid

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
_Found = Mapping[str, Mapping[int, Evaluation]]


def write_few_events(
    out: Path, key: str, found: _Found
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Write the metrics of every user; return means by variant, number of events, metric."""
    users = np.unique(next(iter(next(iter(found.values())).values())).users)
    columns = {
        _column(variant, events, metric): evaluation.per_user[metric]
        for variant, of in found.items()
        for events, evaluation in of.items()
        for metric in METRICS
    }
    write_table(users_file(out, key, FEW_EVENTS), pl.DataFrame({"user": users, **columns}))
    return {
        variant: {
            str(events): {metric: evaluation.metrics[metric] for metric in METRICS}
            for events, evaluation in of.items()
        }
        for variant, of in found.items()
    }


def _column(variant: str, events: int, metric: str) -> str:
    """Return the name of a column in that file."""
    return f"{variant} {events} {metric}"


def few_events_table(plan: Plan, results: Results) -> MeasureTable | None:
    """Return means over seeds per number of events and their comparisons, or None if unmeasured."""
    kept = results.kept(plan, FEW_EVENTS)
    rows = _rows_by_events(plan, results, kept)
    if not rows:
        return None
    family = [
        each for events, found in rows.items() for each in _family_of(found, plan.reference, events)
    ]
    lines = [(_events_words(events), _line(row)) for events, found in rows.items() for row in found]
    blocks, parts = zip(*lines, strict=True)
    grids = [Grid.of(f"{plan.title}: by events known", ("", *METRICS), parts, blocks=blocks)]
    grids += [contrasts_grid(f"{plan.title}: comparisons", contrasts(family))] if family else []
    numbers = [
        number
        for events, found in rows.items()
        for number in numbers_of(found, METRICS, f"{_events_words(events)}, {{}}")
    ]
    gone = len(results.cells(plan, "measures", FEW_EVENTS)) - len(kept)
    notes = (_HOW, *((_TESTED,) if family else ()), *((_GONE.format(count=gone),) if gone else ()))
    return MeasureTable(FEW_EVENTS, "Few events", tuple(grids), notes, tuple(numbers))


def _rows_by_events(
    plan: Plan, results: Results, kept: Mapping[Place, pl.DataFrame]
) -> dict[int, list[Measured]]:
    """Return rows and trunks alone at each number of events that all kept cells were measured with.

    `kept` has the values of users by cell.
    """
    records = results.cells(plan, "measures", FEW_EVENTS)
    numbers = [set(map(int, records[place][WHOLE])) for place in kept]
    rows: dict[int, list[Measured]] = {}
    for events in sorted(set.intersection(*numbers)) if numbers else ():
        rows[events] = []
        for row, places in plan.by_row(kept):
            for variant, name in ((WHOLE, row.name), (TRUNK, f"{row.name}, {TRUNK}")):
                columns = {metric: pl.col(_column(variant, events, metric)) for metric in METRICS}
                cells = [place for place in places if variant in records[place]]
                if cells:
                    rows[events].append(
                        Measured.of_frames(
                            name,
                            row.labels,
                            {place.seed: kept[place].select("user", **columns) for place in cells},
                            [records[place][variant][str(events)] for place in cells],
                            protocol=FEW_EVENTS,
                            data=plan.data,
                        )
                    )
    return rows


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


def _line(row: Measured) -> tuple[str, ...]:
    """Return one line: means over seeds, with their spread where there are several."""
    cells = (TableCell(metric, row.mean(metric), row.spread(metric)) for metric in METRICS)
    return (row.name, *map(mean_text, cells))


def _events_words(events: int) -> str:
    """Format a number of events.

    >>> _events_words(1), _events_words(5)
    ('1 event', '5 events')
    """
    return f"{events} event{'' if events == 1 else 's'}"
