"""What one cell leaves behind: its record, the metrics of its users and its run folder."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from solidrec.api import load
from solidrec.data.prepared import PreparedData
from solidrec.errors import DamagedError, IncompatibleError
from solidrec.experiments import cell_work
from solidrec.experiments.cell_work import _trained, work
from solidrec.experiments.grid import Cell
from solidrec.experiments.results import Plan, Results
from solidrec.runs import Run


def run_of(out: Path, row: str) -> Run:
    key = next(place.key for place in Plan.load(out).places if place.row == row)
    return load(out / "runs" / key).run


def test_data_that_changed_while_an_experiment_ran_give_no_result(
    data: PreparedData, tmp_path: Path
) -> None:
    cell = Cell("popularity", 0, "f" * 64, None, "popularity")
    with pytest.raises(IncompatibleError, match="was prepared anew while the experiment ran"):
        work(cell, data.path, tmp_path, protocols=("paper",), measures=())


def test_a_cell_that_was_trained_before_counts_what_its_training_took(
    measured_experiment: Path, data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time left is reckoned from it, and so are the hours of a report."""
    run = run_of(measured_experiment, "static")
    slow = replace(run, path=Path(shutil.copytree(run.path, tmp_path / "slow")))
    text = "".join(json.dumps({**row, "seconds": 1000.0}) + "\n" for row in run.history)
    (slow.path / "history.jsonl").write_text(text, encoding="utf-8")
    monkeypatch.setattr(cell_work, "_trained_run", lambda *given, **named: slow)
    cell = Cell("static", 0, data.fingerprint, run.spec)
    again = work(cell, data.path, tmp_path, protocols=["paper"], measures=[])
    assert again["seconds"] == 1000 * len(run.history) > 0


def test_a_record_says_what_each_stage_chose_on_validation(measured_experiment: Path) -> None:
    run = run_of(measured_experiment, "solid-duet")
    found = _trained(run)
    assert [stage["stage"] for stage in found["stages"]] == [1, 2]
    for stage in found["stages"]:
        rows = [row for row in run.history if row["stage"] == stage["stage"]]
        best = [row for row in rows if row["best"]][-1]
        assert (stage["epoch"], stage["step"]) == (best["epoch"], best["step"])
        assert stage["valid"] == best["valid"]
        assert stage["epochs"] == rows[-1]["epoch"]
        assert all(stage[key] == best[key] for key in stage.keys() & best.keys())
    assert "perplexity" in found["stages"][1]
    assert found["parameters"] == sum(p.numel() for p in run.model.parameters())


def test_only_a_trained_model_is_measured_in_other_ways(measured_experiment: Path) -> None:
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    for place in plan.places:
        record = results.records[place.key]
        trained = place.row != "popularity"
        assert set(record["measures"]) == (set(plan.measures) if trained else set())
        assert ("stages" in record, "trials" in record) == (trained, not trained)
        assert set(record["evaluations"]) == set(plan.protocols)


@pytest.mark.parametrize("kind", [DamagedError, IncompatibleError])
def test_a_run_folder_that_cannot_be_used_says_what_to_remove(
    data: PreparedData, measured_experiment: Path, tmp_path: Path, monkeypatch: Any, kind: Any
) -> None:
    def refuse(*given: Any, **named: Any) -> Run:
        raise kind("it is broken")

    monkeypatch.setattr(cell_work, "train_run", refuse)
    cell = Cell("static", 0, data.fingerprint, run_of(measured_experiment, "static").spec)
    folder = tmp_path / "runs" / cell.key
    said = re.escape(f"it is broken; to train this cell anew, rm -r {folder}")
    with pytest.raises(kind, match=f"^{said}$"):
        work(cell, data.path, tmp_path, protocols=["paper"], measures=[])
