"""The page on searching and tracking: its commands run as they are written."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.api import load, prepare
from solidrec.json_files import read_json
from solidrec.search.findings import BEST
from solidrec.search.run_search import SEARCH, TRIALS, _read_trials
from solidrec.search.space import _RANDOM_FIRST
from solidrec.training.to_mlflow import _EXPERIMENT
from solidrec.training.to_tensorboard import _FOLDER
from solidrec.training.tracking import _STORES

PAGE = "docs/search.md"
SHORT = {
    "solidrec search": "solidrec search --set train.epochs=1",
    "solidrec train": "solidrec train --epochs 1",
    "--trials 12": "--trials 2",
}


def test_the_commands_run(
    repository: Path,
    blocks: Callable[[Path, str], list[str]],
    shop: Path,
    solidrec: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shop}/mlflow.db")
    prepare("clicks.csv", items="items.csv", out="data")
    (space,) = blocks(repository / PAGE, "toml")
    Path("space.toml").write_text(space, encoding="utf-8")
    lines = [line for block in blocks(repository / PAGE, "sh") for line in block.splitlines()]
    assert len(lines) == 4
    for line in lines:
        for long, short in SHORT.items():
            line = line.replace(long, short)
        answer = solidrec(*shlex.split(line)[1:])
        assert answer.code == 0, answer.err
    assert [len(_read_trials(Path(out) / TRIALS)) for out in ("found", "found2")] == [2, 3]
    assert set(read_json(Path("found", SEARCH))["space"]) == {
        "model.dropout",
        "model.dim",
        "train.learning_rate",
    }
    assert load("best").run.spec.model.name == "static"
    assert Path("tracked", _FOLDER).is_dir()
    assert Path("mlflow.db").is_file()


def test_its_names_are_those_of_the_source(repository: Path) -> None:
    text = (repository / PAGE).read_text(encoding="utf-8")
    for name in (BEST, TRIALS, SEARCH, f"{_FOLDER}/", _EXPERIMENT):
        assert f"`{name}`" in text
    assert all(f"--track {name}" in text for name in _STORES)
    assert _RANDOM_FIRST == 5
    assert "random for the first five points" in text
