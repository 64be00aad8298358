"""Everything that the report of an experiment is made of, read once; missing parts are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, final

import numpy as np

from solidrec.console import shorten
from solidrec.data.prepared import PreparedData
from solidrec.epochs import HISTORY, read_history
from solidrec.errors import SolidrecError, StorageError
from solidrec.experiments.grid import Row
from solidrec.experiments.plan import RUNS, Place, Plan
from solidrec.experiments.results import Record, Results
from solidrec.experiments.tables.comparisons import BACKBONE, MODEL
from solidrec.experiments.tables.experiment_tables import layout_of, measures_of
from solidrec.experiments.tables.measure import MeasureTable
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.result_table import ResultTable
from solidrec.experiments.tables.tabulate import blocks_of, result_table
from solidrec.report.plots import RUN_COLORS, Series
from solidrec.runs import Run, load_run

_LONGEST = 28
"""Maximum length of a name beside a chart."""
_NO_USERS = (
    "users/ lacks the metrics of each user of some cells: intervals, comparisons and stars are "
    "missing under {protocol}."
)
_NO_RUNS = (
    "runs/ lacks {count} of {all} trained models: their curves, codebooks and norms are missing."
)
_UNREADABLE = (
    "The trained model of {row} cannot be read, its codebook and norms are missing: {error}"
)
_NO_DATA = (
    "The prepared data was not found where the experiment read it ({why}): the norms of generated "
    "weights are missing."
)


@final
@dataclass(frozen=True)
class Material:
    """The plan, results and tables of an experiment, and the runs and data that its report needs.

    ``measured`` has the rows of each protocol, ``looks`` the look of each row in every chart, and
    ``blocks`` the block of the tables that each row stands in. ``runs`` has the trained model of
    each row's smallest seed, where it can be read. ``data`` is None if it is missing, and
    ``lacking`` says what is missing.
    """

    plan: Plan
    results: Results
    measured: Mapping[str, Sequence[Measured]]
    tables: Sequence[ResultTable]
    measures: Sequence[MeasureTable]
    looks: Mapping[str, Series]
    blocks: Mapping[str, str]
    runs: Mapping[str, Run]
    data: PreparedData | None
    lacking: Sequence[str]

    def measure(self, name: str) -> MeasureTable | None:
        """Return the table of another measure by its name, None if it was not measured."""
        return next((table for table in self.measures if table.name == name), None)

    def history(self, place: Place) -> list[dict[str, Any]]:
        """Return the log of a cell, empty if it is missing."""
        folder = self.results.out / RUNS / place.key
        return read_history(folder) if (folder / HISTORY).is_file() else []

    def records(self) -> list[Record]:
        """Return the records of the plan's finished cells, in the plan's order."""
        keys = dict.fromkeys(place.key for place in self.plan.places)
        return [self.results.records[key] for key in keys if key in self.results.records]

    def first_seeds(self) -> list[Place]:
        """Return the finished cell with the smallest seed of each trained row."""
        found: dict[str, Place] = {}
        for place in self.trained():
            found.setdefault(place.row, place)
        return list(found.values())

    def trained(self) -> list[Place]:
        """Return the finished cells of trained rows, row by row."""
        names = [row.name for row in self.plan.rows if row.baseline is None]
        places = [
            place
            for place in self.plan.places
            if place.row in names and place.key in self.results.records
        ]
        return sorted(places, key=lambda place: (names.index(place.row), place.seed))


def material(plan: Plan, results: Results) -> Material:
    """Read what exists of an experiment. Raises `DamagedError` for damaged results."""
    measured: dict[str, Sequence[Measured]] = {}
    tables, lacking = [], []
    for protocol in plan.protocols:
        try:
            measured[protocol] = results.measured(plan, protocol)
            tables.append(result_table(measured[protocol], layout_of(plan, results)))
        except StorageError:
            measured[protocol] = _bare(plan, results, protocol)
            tables.append(
                result_table(measured[protocol], replace(layout_of(plan, results), tested=()))
            )
            lacking.append(_NO_USERS.format(protocol=protocol))
    measures = measures_of(plan, results, measured)
    data, why = _data_of(plan)
    lacking += [_NO_DATA.format(why=why)] if data is None else []
    labels = {row.name: row.labels for row in plan.rows}
    found = Material(
        plan,
        results,
        measured,
        tables,
        measures,
        _looks_of(plan.rows),
        blocks_of(labels, BACKBONE),
        {},
        data,
        tuple(lacking),
    )
    runs, said = _runs_of(found)
    return replace(found, runs=runs, lacking=(*lacking, *said))


def _runs_of(of: Material) -> tuple[dict[str, Run], list[str]]:
    """Return the trained model of each row's smallest seed, and messages about missing models."""
    runs, said = {}, []
    gone = sum(not of.history(place) for place in of.trained())
    if gone:
        said.append(_NO_RUNS.format(count=gone, all=len(of.trained())))
    for place in of.first_seeds():
        if not of.history(place):
            continue
        try:
            runs[place.row] = load_run(of.results.out / RUNS / place.key)
        except SolidrecError as error:
            said.append(_UNREADABLE.format(row=place.row, error=error))
    return runs, said


def _bare(plan: Plan, results: Results, protocol: str) -> list[Measured]:
    """Build the rows of `Results.measured` from records alone, without metrics of single users."""
    rows = []
    for row in plan.rows:
        found = {
            place.seed: results.records[place.key]["evaluations"][protocol]
            for place in plan.places
            if place.row == row.name
            and protocol in results.records.get(place.key, {}).get("evaluations", {})
        }
        if found:
            # The records tell the number of users only, so that positions stand for their ids.
            users = np.arange(next(iter(found.values()))["users"])
            metrics = tuple(one["metrics"] for one in found.values())
            rows.append(
                Measured(
                    row.name,
                    row.labels,
                    tuple(found),
                    protocol,
                    plan.data,
                    users,
                    metrics,
                    {},
                    row.baseline is not None,
                )
            )
    return rows


def _data_of(plan: Plan) -> tuple[PreparedData | None, str]:
    """Return the data of an experiment, or None and the reason."""
    try:
        data = PreparedData.open(plan.data_path)
    except SolidrecError:
        return None, "it is no longer there"
    return (data, "") if data.fingerprint == plan.data else (None, "other data is there now")


def _looks_of(rows: Sequence[Row]) -> dict[str, Series]:
    """Return the look of each row in every chart.

    Each model has a colour where that tells the rows of a block apart; else a row's place in its
    block decides. Long names are cut to leave room for the chart. Colours repeat after the last
    one, so a chart shows at most as many rows as there are colours (see `charts_of`).
    """
    trained = [row for row in rows if row.baseline is None]
    baselines = [row.name for row in rows if row.baseline is not None]
    looks = {
        name: Series.baseline(shorten(name, _LONGEST), number)
        for number, name in enumerate(baselines)
    }
    models = list(dict.fromkeys(row.labels.get(MODEL) for row in trained))
    blocks = [row.labels.get(BACKBONE) for row in trained]
    by_model = len({(row.labels.get(BACKBONE), row.labels.get(MODEL)) for row in trained}) == len(
        trained
    )
    for at, row in enumerate(trained):
        number = models.index(row.labels.get(MODEL)) if by_model else blocks[:at].count(blocks[at])
        looks[row.name] = Series.run(shorten(_short_name(row), _LONGEST), number)
    return looks


def _short_name(row: Row) -> str:
    """Return a row's name within its block.

    >>> _short_name(Row("din · duet", {"model.backbone.name": "din", "model.name": "duet"}))
    'duet'
    """
    backbone = row.labels.get(BACKBONE)
    return row.name.removeprefix(f"{backbone} · ") if backbone else row.name


def charts_of(names: Sequence[str], blocks: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """Split rows into charts (block, rows) in which no two rows share a colour.

    A chart is one block, or an even part of a block with more rows than colours.

    >>> charts_of(["a", "b", "c"], {"a": "din", "b": "din", "c": "sasrec"})
    [('din', ['a', 'b']), ('sasrec', ['c'])]
    """
    found = []
    for block in dict.fromkeys(blocks[name] for name in names):
        own = [name for name in names if blocks[name] == block]
        # Spread the rows evenly over the fewest charts that have enough colours.
        size = ceil(len(own) / ceil(len(own) / len(RUN_COLORS)))
        found += [(block, own[at : at + size]) for at in range(0, len(own), size)]
    return found
