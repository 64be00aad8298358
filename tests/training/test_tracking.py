"""Trackers: every number of history.jsonl once, whatever happened on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, final

import pytest

from solidrec.data.prepared import PreparedData
from solidrec.errors import Interrupted, StorageError, UsageError
from solidrec.json_files import read_json
from solidrec.runs import Run
from solidrec.spec import RunSpec
from solidrec.training import tracking
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.display import Row, Silent
from solidrec.training.run import train_run
from solidrec.training.tracking import _points, check_trackers

Points = dict[tuple[str, int], float]


@final
class Memory:
    """A store that outlives the process, so to speak; a point that comes twice is an error."""

    def __init__(self, there: Points, fails_at: int | None = None) -> None:
        self.there, self.fails_at = there, fails_at
        self.ends: list[bool] = []

    def written(self) -> set[tuple[str, int]]:
        return set(self.there)

    def write(self, values: Mapping[str, float], epoch: int) -> None:
        if epoch == self.fails_at:
            raise StorageError("the disk is full")
        for name, value in values.items():
            assert (name, epoch) not in self.there
            self.there[name, epoch] = value

    def close(self, *, complete: bool) -> None:
        self.ends.append(complete)


@final
class StopAtEpoch:
    """A display that presses Ctrl-C when a stage shows an epoch, before it is logged and saved."""

    def __init__(self, stage: int, epoch: int) -> None:
        self.at = (stage, epoch)

    def epoch(self, row: Row) -> None:
        if (row["stage"], row["epoch"]) == self.at:
            raise KeyboardInterrupt

    def stage(self, stage: int, epochs: int, steps: int) -> None: ...
    def step(self) -> None: ...
    def done(self, row: Row) -> None: ...


def of_run(run: Run) -> Points:
    """What a tracker has to have of a run: its log, and its final metrics."""
    found = {
        (name, row["epoch"]): value for row in run.history for name, value in _points(row).items()
    }
    final = {
        (f"final/{split}/{name}", 0): value
        for split, entry in run.metrics.items()
        for name, value in entry["metrics"].items()
    }
    return found | {key: value for key, value in final.items() if value is not None}


def without_speed(there: Points) -> Points:
    """An epoch that was run again has the same numbers but those of the clock."""
    return {
        key: value
        for key, value in there.items()
        if not key[0].endswith(("seconds", "positives_per_second"))
    }


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Points:
    there: Points = {}
    monkeypatch.setitem(tracking._STORES, "tensorboard", ("json", lambda out, spec: Memory(there)))
    return there


def test_the_points_of_a_row_are_its_numbers() -> None:
    row = {
        "stage": 2,
        "epoch": 0,
        "step": 7,
        "loss": None,
        "codes_dead": 3,
        "valid": {"UAUC": 0.5, "MRR": None},
        "best": False,
    }
    assert _points(row) == {"stage2/codes_dead": 3, "stage2/valid/UAUC": 0.5}
    assert _points(row | {"valid": None}) == {"stage2/codes_dead": 3}


def test_a_run_is_tracked_and_a_training_on_the_way_is_not(
    data: PreparedData, spec_of: Callable[..., RunSpec], memory: Points, tmp_path: Path
) -> None:
    spec = spec_of(semantics={"modalities": ["id"], "seed": 5})  # trains a static model first
    run = train_run(data, spec, tmp_path / "run", track=["tensorboard", "tensorboard"])
    assert memory == of_run(run)
    assert {name.partition("/")[0] for name, _ in memory} == {"stage1", "stage2", "final"}
    assert ("stage2/valid/UAUC", 0) in memory


@pytest.mark.parametrize("spacing", [0, 1e9])
def test_a_run_that_was_stopped_has_each_point_once(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    memory: Points,
    tmp_path: Path,
    spacing: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("solidrec.training.run.Checkpoints", partial(Checkpoints, spacing=spacing))
    call = partial(train_run, data, spec_of(), tmp_path / "run", track=["tensorboard"])
    for stage, epoch in ((1, 2), (2, 1)):
        with pytest.raises(Interrupted):
            call(display=StopAtEpoch(stage, epoch))
    run = call()
    assert without_speed(memory) == without_speed(of_run(run))
    before = dict(memory)
    assert call().path == run.path  # finished: nothing more
    assert memory == before


def test_epochs_that_were_not_tracked_are_caught_up_on(
    data: PreparedData, spec_of: Callable[..., RunSpec], memory: Points, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        train_run(data, spec_of("static"), tmp_path / "run", display=StopAtEpoch(1, 3))
    assert memory == {}
    assert without_speed(
        of_run(train_run(data, spec_of("static"), tmp_path / "run", track=["tensorboard"]))
    ) == without_speed(memory)


def test_a_store_that_fails_is_said_once_and_training_goes_on(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there: Points = {}
    monkeypatch.setitem(
        tracking._STORES, "mlflow", ("json", lambda out, spec: Memory(there, fails_at=2))
    )
    said: list[str] = []
    run = train_run(data, spec_of("static"), tmp_path / "run", track=["mlflow"], say=said.append)
    assert len(run.history) == 3
    assert {epoch for _, epoch in there} == {1}
    assert said == [
        "mlflow: the disk is full; training goes on without it, history.jsonl has every epoch"
    ]


def test_how_a_run_ended_is_told(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    stores: list[Memory] = []

    def opened(out: Path, spec: RunSpec) -> Memory:
        stores.append(Memory({}))
        return stores[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tracking._STORES, "mlflow", ("json", opened))
        with pytest.raises(Interrupted):
            train_run(
                data,
                spec_of("static"),
                tmp_path / "run",
                track=["mlflow"],
                display=StopAtEpoch(1, 2),
            )
        train_run(data, spec_of("static"), tmp_path / "run", track=["mlflow"], display=Silent())
    assert [store.ends for store in stores] == [[False], [True]]


def test_an_unknown_name_or_an_absent_package_is_one_line_before_training(
    solidrec: Callable[..., Any],
    data: PreparedData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(
        UsageError, match="--track tensorbord: unknown name; did you mean 'tensorboard'"
    ):
        check_trackers(["tensorbord"])
    monkeypatch.setitem(tracking._STORES, "mlflow", ("no_such_package", Memory))
    answer = solidrec("train", data.path, "--track", "mlflow", "--out", tmp_path / "run")
    assert (answer.code, answer.err) == (
        2,
        "error: no_such_package is not installed; pip install 'solidrec[track]'\n",
    )
    assert not (tmp_path / "run").exists()


def test_the_command_line_tracks(
    solidrec: Callable[..., Any], data: PreparedData, memory: Points, tmp_path: Path
) -> None:
    small = (
        "--set",
        "model.dim=8",
        "--set",
        "train.batch_size=128",
        "--epochs",
        1,
        "--model",
        "static",
    )
    answer = solidrec(
        "train", data.path, "--track", "tensorboard", "--out", tmp_path / "run", *small
    )
    assert answer.code == 0, answer.err
    assert (
        memory["final/test/UAUC", 0]
        == read_json(tmp_path / "run" / "metrics.json")["test"]["metrics"]["UAUC"]
    )
