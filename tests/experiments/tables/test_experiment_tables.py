"""The tables of a folder: gaps are shown, other data and other protocols are never compared."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.experiments.execute import run_experiment
from solidrec.experiments.experiment_spec import ExperimentSpec
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.status import status_of
from solidrec.experiments.tables.experiment_tables import compared, tables_of, write_tables
from solidrec.json_files import read_json, sealed

GRID = {
    "title": "tiny",
    "seeds": 1,
    "protocols": ["paper"],
    "rows": [{"name": name, "baseline": name} for name in ("popularity", "markov")],
}


@pytest.fixture
def out(data: PreparedData, tmp_path: Path) -> Path:
    run_experiment("tiny", ExperimentSpec.parse(GRID), data.path, tmp_path / "out", jobs=1)
    return tmp_path / "out"


def test_the_tables_hold_the_results_and_are_written_beside_them(out: Path) -> None:
    plan, results = Plan.load(out), Results(out)
    (table,) = tables_of(plan, results)
    for line, place in zip(table.lines, plan.places, strict=True):
        found = results.records[place.key]["evaluations"]["paper"]["metrics"]
        assert {cell.metric: cell.mean for cell in line.cells} == {
            cell.metric: found[cell.metric] for cell in line.cells
        }
    names = [path.name for path in write_tables(out, [table])]
    assert names == ["tables.md", "tables.tex", "cells.csv", "comparisons.csv"]
    assert all((out / name).read_text(encoding="utf-8").count("markov") for name in names)


def test_places_of_a_grid_are_compared_with_a_reference_only_if_one_is_named(out: Path) -> None:
    plan, results = Plan.load(out), Results(out)
    grid = replace(plan, layout="figure5")
    assert [
        len(tables_of(of, results)[0].contrasts)
        for of in (plan, grid, replace(grid, reference="markov"))
    ] == [2, 0, 2]


def test_what_is_not_finished_is_shown_as_missing(out: Path) -> None:
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (out / "results.jsonl").write_text(lines[0], encoding="utf-8")
    plan, results = Plan.load(out), Results(out)
    gone = results.missing(plan)
    assert len(gone) == 1
    (table,) = tables_of(plan, results)
    assert [line.name for line in table.lines] == ["popularity", "markov"]
    missing = next(line for line in table.lines if line.name == gone[0].row)
    assert all(cell.mean is None for cell in missing.cells)
    status = status_of(plan, results)
    assert (status["finished"], status["cells"]) == (1, 2)


def changed(out: Path, to: Path, **values: Any) -> Path:
    shutil.copytree(out, to)
    plan = read_json(to / "experiment.json") | values
    (to / "experiment.json").write_text(json.dumps(sealed(plan)), encoding="utf-8")
    return to


def test_two_folders_are_compared_row_by_row(out: Path, tmp_path: Path) -> None:
    found = compared(out, changed(out, tmp_path / "same"))
    assert set(found) == {"paper"}
    assert {contrast.found.mean for contrast in found["paper"].contrasts if contrast.found} == {0.0}


def test_other_data_and_other_protocols_are_refused(out: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="different data are not compared"):
        compared(out, changed(out, tmp_path / "data", data="0" * 64))
    with pytest.raises(UsageError, match="different protocols are not compared"):
        compared(out, changed(out, tmp_path / "protocol", protocols=["full"]))
