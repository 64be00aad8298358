"""The commands of an experiment show what they have, and leave nothing out without a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.cli.experiment import prepared_folder
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.experiments.execute import run_experiment
from solidrec.experiments.experiment_spec import ExperimentSpec
from solidrec.json_files import read_json


def floors(data: PreparedData, out: Path, *names: str) -> Path:
    """Run an experiment of baselines."""
    values = {
        "title": "floors",
        "seeds": 1,
        "protocols": ["paper"],
        "rows": [{"name": name, "baseline": name} for name in names],
    }
    run_experiment("floors", ExperimentSpec.parse(values), data.path, out, jobs=1)
    return out


def test_tables_are_shown_where_they_cannot_be_written(
    solidrec: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    out = floors(data, tmp_path / "out", "popularity", "markov")
    (out / "tables.md").mkdir()
    for options in ((), ("--json",)):
        answer = solidrec("experiment", "table", out, *options)
        assert answer.code == 74
        assert "tables.md: cannot write" in answer.err
        assert "markov" in answer.out
    assert json.loads(answer.out)[0]["protocol"] == "paper"


def test_rows_that_only_one_of_two_has_are_named(
    solidrec: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    a = floors(data, tmp_path / "a", "popularity", "markov")
    b = floors(data, tmp_path / "b", "popularity", "item-knn")
    answer = solidrec("experiment", "compare", a, b)
    assert answer.code == 0
    said = " ".join(answer.out.split()).replace(" ", "")
    assert f"Onlyin{a}:markov." in said
    assert f"Onlyin{b}:item-knn." in said


def test_a_plan_that_is_none_is_one_line(
    solidrec: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    out = floors(data, tmp_path / "out", "popularity")
    plan = read_json(out / "experiment.json")
    (out / "experiment.json").write_text(json.dumps(plan | {"rows": 3}), encoding="utf-8")
    answer = solidrec("experiment", "status", out)
    assert answer.code == 77
    assert "is not a plan" in answer.err


def test_without_data_the_only_prepared_folder_is_taken(tmp_path: Path, data: PreparedData) -> None:
    with pytest.raises(UsageError, match="no prepared folder here"):
        prepared_folder(tmp_path)
    (tmp_path / "a").symlink_to(data.path)
    assert prepared_folder(tmp_path) == tmp_path / "a"
    (tmp_path / "b").symlink_to(data.path)
    with pytest.raises(UsageError, match=r"several prepared folders here \(a, b\)"):
        prepared_folder(tmp_path)
