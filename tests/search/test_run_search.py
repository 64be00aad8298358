"""A search: the start first, validation alone, the same trials if stopped, usable settings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from solidrec.api import train
from solidrec.data.prepare import prepare
from solidrec.data.prepared import EvalRows, PreparedData
from solidrec.defaults import run_spec
from solidrec.errors import (
    DamagedError,
    DivergedError,
    IncompatibleError,
    Interrupted,
    StorageError,
    UsageError,
)
from solidrec.json_files import read_json, unsealed
from solidrec.locks import locked
from solidrec.search import run_search as module
from solidrec.search.findings import BEST
from solidrec.search.run_search import SEARCH, TRIALS, _read_trials, run_search
from solidrec.search.trial import Outcome
from solidrec.training.loop import Stage

SPACE = {
    "model.dropout": [0, 0.2, 0.4],
    "train.learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
}


@pytest.fixture
def call(data: PreparedData, tiny: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """A search of four short trainings of a static model."""
    settings = {"model": tiny["model"] | {"name": "static"}, "train": tiny["train"] | {"epochs": 2}}
    return partial(run_search, data.path, space=SPACE, trials=4, settings=settings)


def without_times(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in trial.items() if key != "seconds"}
        for trial in found["trials"]
    ]


def test_the_first_trial_is_the_start_and_the_best_one_is_what_train_repeats(
    call: Callable[..., dict[str, Any]], data: PreparedData, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    found = call(out=out)
    assert [trial["number"] for trial in found["trials"]] == [0, 1, 2, 3]
    assert found["default"]["settings"] == {"model.dropout": 0.1, "train.learning_rate": 0.01}
    scores = [trial["valid"]["UAUC"] for trial in found["trials"]]
    assert found["best"]["valid"]["UAUC"] == max(scores)
    assert len({json.dumps(trial["settings"]) for trial in found["trials"]}) == 4
    for trial in found["trials"][1:]:
        assert trial["settings"]["model.dropout"] in (0, 0.2, 0.4)
        assert 1e-3 <= trial["settings"]["train.learning_rate"] <= 1e-1
        assert trial["epochs"] == 2
    lines = (out / TRIALS).read_text(encoding="utf-8").splitlines()
    assert found["trials"] == [unsealed(json.loads(line)) for line in lines]
    best = tomllib.loads((out / BEST).read_text(encoding="utf-8"))
    spec = run_spec(data, model=None, backbone=None, seed=None, epochs=None, settings=best)
    assert spec.digest() == found["best"]["digest"]
    run = train(data, settings=best, out=tmp_path / "run", progress=False).run
    assert run.metrics["valid"]["metrics"] == found["best"]["valid"]
    assert list((out / "trials").glob("*/checkpoints")) == []


def test_the_test_split_is_never_opened(
    call: Callable[..., dict[str, Any]],
    data: PreparedData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = PreparedData.rows
    opened: list[str] = []

    def valid_alone(self: PreparedData, split: Any) -> EvalRows:
        opened.append(split)
        assert split != "test", "a search has looked at the test split"
        return rows(self, split)

    monkeypatch.setattr(PreparedData, "rows", valid_alone)
    settings = {
        "model": {"dim": 8},
        "train": {"epochs": 1, "batch_size": 128},
        "semantics": {"modalities": ["text"]},
    }
    found = call(
        out=tmp_path / "out", trials=2, settings=settings
    )  # SOLID: both stages, and semantic ids
    assert set(opened) == {"valid"}
    assert found["split"] == "valid"
    with pytest.raises(AssertionError, match="looked at the test split"):
        train(
            data, model="static", epochs=1, out=tmp_path / "run", progress=False
        )  # what measures it, would


def test_a_search_that_is_stopped_within_a_trial_finds_what_it_would_have_found(
    call: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = call(out=tmp_path / "whole")
    real, epochs = Stage.run_epoch, 0

    def stopping(stage: Stage) -> None:
        nonlocal epochs
        epochs += 1
        if epochs == 2 * 2 + 2:  # in the second epoch of the third trial
            raise KeyboardInterrupt
        real(stage)

    monkeypatch.setattr(Stage, "run_epoch", stopping)
    with pytest.raises(Interrupted, match="run the same command again"):
        call(out=tmp_path / "stopped")
    assert len(_read_trials(tmp_path / "stopped" / TRIALS)) == 2
    again = call(out=tmp_path / "stopped")
    assert epochs == 4 * 2 + 1  # only the epoch that was stopped ran twice
    assert without_times(again) == without_times(whole)
    assert call(out=tmp_path / "stopped") == again  # all done: nothing is trained
    assert epochs == 4 * 2 + 1
    assert without_times(call(out=tmp_path / "stopped", trials=5))[:4] == without_times(whole)


def test_a_search_by_two_processes_is_killed_with_them_and_goes_on(
    solidrec: Callable[..., Any], data: PreparedData, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = [
        "--model",
        "static",
        "--try",
        "model.dropout=0,0.4",
        "--set",
        "train.epochs=4",
        "--set",
        "model.dim=8",
    ]
    words += ["--set", "train.batch_size=16", "--json", "--trials"]
    search = ["search", str(data.path), "--out", str(out), *words, "3"]
    process = subprocess.Popen(
        [sys.executable, "-m", "solidrec.cli", *search, "--jobs", "2"], stderr=subprocess.DEVNULL
    )
    try:
        eventually(lambda: bool(list(out.glob("trials/*/checkpoints/stage1-*"))))
        assert process.poll() is None
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert read_json(out / SEARCH)["space"] == {"model.dropout": [0, 0.4]}
    for folder in (out / "trials").iterdir():
        eventually(lambda folder=folder: free(folder))  # who trains in it ends with the search
    answer = solidrec(*search)
    assert answer.code == 0, answer.err
    found = json.loads(answer.out)
    assert {(trial["settings"]["model.dropout"], trial["epochs"]) for trial in found["trials"]} == {
        (0.2, 4),
        (0, 4),
        (0.4, 4),
    }
    alone = json.loads(solidrec("search", data.path, "--out", tmp_path / "alone", *words, "1").out)
    assert without_times(alone)[0] == without_times(found)[0]


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def free(folder: Path) -> bool:
    try:
        with locked(folder):
            return True
    except StorageError:
        return False


def test_a_small_space_ends_when_every_point_is_tried(
    call: Callable[..., dict[str, Any]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        module,
        "train_trial",
        lambda data, spec, folder: Outcome({"UAUC": 1 - spec.model.dropout}, 1, 0.0),
    )
    space = {
        "model.dropout": {"low": 0.1, "high": 0.4, "step": 0.1},
        "model.backbone": ["din", "sasrec"],
    }
    found = call(out=tmp_path / "out", space=space, trials=50)
    assert len(found["trials"]) == 2 * 4
    assert {trial["settings"]["model.dropout"] for trial in found["trials"]} == {0.1, 0.2, 0.3, 0.4}
    assert "nothing new to try: the space ends after 8 trials" in capsys.readouterr().err
    assert (
        found["finding"]
        == "No other trial of 7 is above trial 0, where the search started: valid UAUC 0.9000."
    )


def test_the_sampler_finds_a_better_place(
    call: Callable[..., dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def peak(data: object, spec: Any, folder: Path) -> Outcome:
        return Outcome({"UAUC": 1 - abs(spec.model.dropout - 0.7), "NDCG@10": None}, 1, 0.0)

    monkeypatch.setattr(module, "train_trial", peak)
    found = call(
        out=tmp_path / "out", space={"model.dropout": {"low": 0.0, "high": 0.9}}, trials=20
    )
    scores = [trial["valid"]["UAUC"] for trial in found["trials"]]
    assert max(scores) > 0.97
    assert sum(scores[10:]) > sum(scores[:10])
    assert found["finding"].startswith(
        f"Trial {found['best']['number']} is the best of 20: valid UAUC {max(scores):.4f}; trial 0"
    )
    assert f"has {scores[0]:.4f}, {max(scores) - scores[0]:.4f} less." in found["finding"]


def test_a_trial_that_comes_to_nothing_is_told_and_the_search_goes_on(
    call: Callable[..., dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = call(
        out=tmp_path / "out", space={"train.learning_rate": [1e30], "model.dim": [8, 7]}, trials=3
    )
    errors = [trial["error"] for trial in found["trials"]]
    assert errors[0] is None
    assert found["best"]["number"] == 0
    said = capsys.readouterr().err
    for error in errors[1:]:
        assert ("lower train.learning_rate" in error) or (
            "model.dim=7 is not a multiple of model.backbone.heads=2" in error
        )
        assert error in said
    with pytest.raises(
        DivergedError, match=r"no trial could be measured; the first: .*lower train.learning_rate"
    ):
        call(
            out=tmp_path / "none",
            space={"model.dim": [8]},
            trials=1,
            settings={"train": {"learning_rate": 1e30, "epochs": 1}},
        )
    with pytest.raises(UsageError, match=r"model\.dim=7 is not a multiple"):
        call(out=tmp_path / "unfit", space={"model.clip": [0.1]}, settings={"model": {"dim": 7}})


def test_a_folder_of_something_else_is_refused(
    call: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    call(out=out, trials=1)
    with pytest.raises(
        IncompatibleError, match=r"holds another search \(spec.seed is 0 there, 1 here\)"
    ):
        call(out=out, seed=1)
    with pytest.raises(
        IncompatibleError, match=r"space.model.dropout is \[0, 0.2, 0.4\] there, \[0.1\] here"
    ):
        call(out=out, space={"model.dropout": [0.1]})
    (out / TRIALS).write_text("{")
    with pytest.raises(DamagedError, match=f"{TRIALS}: is not as it was written"):
        call(out=out)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    with pytest.raises(StorageError, match="is no folder of a search"):
        call(out=tmp_path / "other")


def test_data_without_validation_is_refused(walk: Callable[..., Any], tmp_path: Path) -> None:
    made = prepare(walk(users=20)[0], out=tmp_path / "data", split="none")
    with pytest.raises(UsageError, match="has no 'valid' rows"):
        run_search(made.path, tmp_path / "out", space=SPACE)
    assert not (tmp_path / "out").exists()
