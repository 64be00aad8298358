"""`solidrec search`: a table, a sentence and a file; errors before anything trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.prepared import PreparedData
from solidrec.search import run_search as module
from solidrec.search.trial import Outcome

Solidrec = Callable[..., Any]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that needs no time: the wider the better."""
    monkeypatch.setattr(
        module,
        "train_trial",
        lambda data, spec, folder: Outcome(
            {"UAUC": spec.model.dim / 100, "NDCG@10": 0.25}, 7, 65.04
        ),
    )


@pytest.mark.usefixtures("at_once")
def test_it_prints_a_table_and_what_comes_next(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    answer = solidrec(
        "search",
        data.path,
        "--try",
        "model.dim=16,64",
        "--try",
        "model.backbone=din",
        "--trials",
        3,
        "--out",
        out,
    )
    assert answer.code == 0, answer.err
    cells = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in answer.out.splitlines()
        if line.startswith("│")
    ]
    assert cells[0] == ["0 (start)", "sasrec", "32", "0.3200", "0.2500", "7", "65.0"]
    assert sorted(row[1:4] for row in cells[1:]) == [
        ["din", "16", "0.1600"],
        ["din", "64", "0.6400"],
    ]
    assert (
        "is the best of 3: valid UAUC 0.6400; "
        "trial 0, where the search started, has 0.3200, 0.3200 less." in answer.out
    )
    assert (
        "trial 0: valid UAUC 0.3200 (the best so far), "
        "model.backbone.name=sasrec model.dim=32, 7 epochs, 65 s" in answer.err
    )
    best = f"{out / 'best.toml'}"
    assert (
        answer.err.splitlines()[-1]
        == f"wrote {best}; next: solidrec train {data.path} --config {best} --out run"
    )


@pytest.mark.usefixtures("at_once")
def test_json_is_all_that_was_found(solidrec: Solidrec, data: PreparedData, tmp_path: Path) -> None:
    space = tmp_path / "space.toml"
    space.write_text('"model.dim" = {low = 16, high = 64, step = 16}\n')
    words = (
        "search",
        data.path,
        "--space",
        space,
        "--trials",
        2,
        "--out",
        tmp_path / "out",
        "--json",
    )
    found = json.loads(solidrec(*words).out)
    assert [trial["number"] for trial in found["trials"]] == [0, 1]
    assert found["default"] == found["trials"][0]
    assert found["best"] in found["trials"]
    assert json.loads(solidrec(*words).out) == found


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "a search varies nothing; give --space FILE.toml or --try key=value,value"),
        (["--try", "model.dimm=8,16"], "unknown setting 'model.dimm'; did you mean 'model.dim'?"),
        (
            ["--try", "model.dropout=0,2"],
            "setting model.dropout: input should be less than 1 (got 2)",
        ),
        (["--try", "model.dropout"], "--try model.dropout: write it as key=value,value"),
        (
            ["--try", "model.dim=8", "--set", "model.backbone.hedas=1"],
            "setting model.backbone: 'sasrec' has no setting 'hedas'; did you mean 'heads'?",
        ),
        (["--space", "nowhere.toml"], "--space nowhere.toml: No such file"),
    ],
)
def test_a_wrong_space_is_one_line_before_anything_trains(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path, words: list[str], text: str
) -> None:
    answer = solidrec("search", data.path, "--out", tmp_path / "out", *words)
    assert (answer.code, answer.out) == (2, "")
    assert len(answer.err.splitlines()) == 1
    assert text in answer.err
    assert not (tmp_path / "out").exists()


def test_an_absent_package_is_named_with_its_extra(
    solidrec: Solidrec, data: PreparedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.semantics.modalities.needs.find_spec", lambda name: None)
    answer = solidrec("search", data.path, "--try", "model.dim=8,16", "--out", tmp_path / "out")
    assert (answer.code, answer.err) == (
        2,
        "error: optuna is not installed; pip install 'solidrec[search]'\n",
    )
