from __future__ import annotations

import fcntl
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import final

import polars as pl
import pytest
import torch

from solidrec.artifacts import sha256
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.epochs import read_history
from solidrec.errors import DivergedError, IncompatibleError, Interrupted, StorageError, UsageError
from solidrec.json_files import read_json
from solidrec.run_state import finished
from solidrec.runs import Run
from solidrec.spec import RunSpec
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.display import Row
from solidrec.training.run import train_run

Strip = Callable[[list[Row]], list[Row]]
EPOCHS, STEPS = 3, 5  # of each stage, and steps an epoch: 90 users x 6 targets in batches of 128


@final
class StopAfter:
    """A display that presses Ctrl-C after so many steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def stage(self, stage: int, epochs: int, steps: int) -> None: ...
    def epoch(self, row: Row) -> None: ...
    def done(self, row: Row) -> None: ...


@pytest.fixture(scope="session")
def whole(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A run that nothing interrupted."""
    return train_run(data, spec_of(), tmp_path_factory.mktemp("whole") / "run")


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a checkpoint after each epoch."""
    monkeypatch.setattr("solidrec.training.run.Checkpoints", partial(Checkpoints, spacing=0))


def weights(run: Run) -> str:
    return sha256(run.path / "weights.safetensors")


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    whole: Run,
    without_times: Strip,
    tmp_path: Path,
) -> None:
    torch.rand(3)  # whatever the state of the generators
    again = train_run(data, spec_of(), tmp_path / "again")
    assert weights(again) == weights(whole)
    assert without_times(again.history) == without_times(whole.history)
    assert again.metrics == whole.metrics
    other = train_run(data, spec_of(seed=4), tmp_path / "other")
    assert weights(other) != weights(whole)


@pytest.mark.parametrize(
    "steps",
    [
        [0],
        [4],
        [7, 3],
        [STEPS * EPOCHS],
        [STEPS * EPOCHS + 1],
        [2 * STEPS * EPOCHS - 1],
        [6, 6, 6, 6],
    ],
)
@pytest.mark.usefixtures("always")
def test_t1_a_run_stopped_anywhere_ends_as_if_never_stopped(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    whole: Run,
    without_times: Strip,
    tmp_path: Path,
    steps: list[int],
) -> None:
    out = tmp_path / "run"
    for count in steps:
        with pytest.raises(Interrupted, match="run the same command again") as caught:
            train_run(data, spec_of(), out, display=StopAfter(count))
        assert caught.value.exit_code == 75
        assert not (out / "manifest.json").exists()
    said: list[str] = []
    resumed = train_run(data, spec_of(), out, say=said.append)
    assert weights(resumed) == weights(whole)
    assert without_times(resumed.history) == without_times(whole.history)
    assert resumed.metrics == whole.metrics
    assert any(line.startswith("resumed at stage") for line in said) == (max(steps) >= STEPS)
    assert not (out / "checkpoints").exists()


def test_without_a_checkpoint_yet_it_starts_again(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    whole: Run,
    without_times: Strip,
    tmp_path: Path,
) -> None:
    with pytest.raises(Interrupted):
        train_run(data, spec_of(), tmp_path / "run", display=StopAfter(8))
    resumed = train_run(data, spec_of(), tmp_path / "run")
    assert weights(resumed) == weights(whole)
    assert without_times(resumed.history) == without_times(whole.history)


@pytest.mark.usefixtures("always")
def test_checkpoints_of_another_run_are_refused(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    for seed in (3, 4):
        with pytest.raises(Interrupted):
            train_run(data, spec_of(seed=seed), tmp_path / str(seed), display=StopAfter(STEPS))
    shutil.rmtree(tmp_path / "3" / "checkpoints")
    shutil.copytree(tmp_path / "4" / "checkpoints", tmp_path / "3" / "checkpoints")
    with pytest.raises(IncompatibleError, match=r"is a checkpoint of run .*; remove"):
        train_run(data, spec_of(seed=3), tmp_path / "3")


@pytest.mark.usefixtures("always")
def test_t7_a_damaged_newest_checkpoint_costs_one_epoch_and_is_said(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    whole: Run,
    without_times: Strip,
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    with pytest.raises(Interrupted):
        train_run(data, spec_of(), out, display=StopAfter(2 * STEPS))
    names = [path.name for path in Checkpoints(out / "checkpoints").names()]
    assert names == ["stage1-epoch00001", "stage1-epoch00002"]
    with (out / "checkpoints" / names[1] / "optimizer.safetensors").open("r+b") as stream:
        stream.truncate(100)
    said: list[str] = []
    resumed = train_run(data, spec_of(), out, say=said.append)
    assert [line for line in said if "stage1-epoch00002" in line and "truncated" in line]
    assert "resumed at stage 1, epoch 1, step 5" in said
    assert weights(resumed) == weights(whole)
    assert without_times(resumed.history) == without_times(whole.history)


SLOW = """
import time
from solidrec.cli import main
from solidrec.training.checkpoint import Checkpoints

def save_and_rest(self, *given, save=Checkpoints.save):
    save(self, *given)
    time.sleep(0.1)

Checkpoints.__init__.__defaults__ = (0.0,)
Checkpoints.save = save_and_rest
main()
"""


def command(data: PreparedData, out: Path) -> list[str]:
    """The same run's command line, with a checkpoint after each epoch and time to be stopped."""
    settings = (
        "model.dim=8",
        "model.dropout=0.1",
        "model.codebook.schedule=staged",
        "train.batch_size=128",
        "train.learning_rate=0.01",
    )
    options = ["--model", "solid-duet", "--seed", "3", "--epochs", "8", "--out", str(out)]
    options += [part for pair in settings for part in ("--set", pair)]
    return [sys.executable, "-c", SLOW, "train", str(data.path), *options]


def wait_for(process: subprocess.Popen[str], ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not ready():
        assert process.poll() is None, "the training ended before it could be stopped"
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_t1_t3_killed_and_stopped_processes_end_as_if_never_stopped(
    data: PreparedData, spec_of: Callable[..., RunSpec], without_times: Strip, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    expected = train_run(data, spec_of(train={"epochs": 8}), tmp_path / "expected")

    process = subprocess.Popen(command(data, out), stderr=subprocess.PIPE, text=True)
    wait_for(process, lambda: len(list((out / "checkpoints").glob("stage1-epoch*"))) == 2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL

    process = subprocess.Popen(command(data, out), stderr=subprocess.PIPE, text=True)
    wait_for(process, lambda: bool(list((out / "checkpoints").glob("stage2-epoch*"))))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 75
    assert "resumed at stage 1, epoch " in errors
    assert (
        errors.splitlines()[-1]
        == f"error: {out}: stopped; run the same command again to go on from the last checkpoint"
    )

    resumed = train_run(data, spec_of(train={"epochs": 8}), out)
    assert weights(resumed) == weights(expected)
    assert without_times(resumed.history) == without_times(expected.history)
    assert not [path.name for path in out.iterdir() if path.name.startswith(".tmp")]


def test_a_finished_run_is_returned_as_it_is(
    data: PreparedData, spec_of: Callable[..., RunSpec], whole: Run
) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in whole.path.iterdir()}
    said: list[str] = []
    train_run(data, spec_of(), whole.path, say=said.append)
    assert {path.name: path.stat().st_mtime_ns for path in whole.path.iterdir()} == before
    assert said == [
        f"{whole.path}: this run is finished already; remove the folder to train it again"
    ]


def test_t12_a_run_of_another_specification_is_refused_by_its_first_difference(
    data: PreparedData, spec_of: Callable[..., RunSpec], whole: Run
) -> None:
    spec = spec_of(model={"dim": 16}, train={"batch_size": 64})
    with pytest.raises(
        IncompatibleError, match=r"another specification \(model.dim is 8 there, 16 here\); choose"
    ) as caught:
        train_run(data, spec, whole.path)
    assert caught.value.exit_code == 76
    assert read_json(whole.path / "spec.json")["model"]["dim"] == 8


@pytest.mark.usefixtures("always")
def test_t13_an_unfinished_run_of_another_specification_is_refused_too(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        train_run(data, spec_of("static"), tmp_path / "run", display=StopAfter(STEPS))
    with pytest.raises(IncompatibleError, match="seed is 3 there, 5 here"):
        train_run(data, spec_of("static", seed=5), tmp_path / "run")


def test_a_setting_that_stops_a_run_before_its_first_epoch_does_not_claim_the_folder(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    with pytest.raises(
        UsageError, match=r"model.dim=7 is not a multiple of model.backbone.heads=2"
    ):
        train_run(data, spec_of("static", model={"dim": 7}), tmp_path / "run")
    run = train_run(data, spec_of("static", train={"epochs": 1}), tmp_path / "run")
    assert read_json(run.path / "spec.json")["model"]["dim"] == 8


def test_t6_a_folder_of_something_else_is_left_alone(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name in ("mine", "file"):
        with pytest.raises(StorageError, match="exists and is not a run folder"):
            train_run(data, spec_of(), tmp_path / name)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    assert (tmp_path / "file").read_text() == "precious"
    with pytest.raises(StorageError, match="choose another --out"):
        train_run(data, spec_of(), tmp_path / "file" / "run")


def test_what_a_killed_start_left_behind_does_not_matter(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    for name in (".lock", ".tmp-1-spec.json"):
        (tmp_path / "run" / name).touch()
    train_run(data, spec_of("static", train={"epochs": 1}), tmp_path / "run")


def test_t15_a_second_trainer_is_refused(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    out.mkdir()
    with (out / ".lock").open("a+") as stream:
        stream.write("4711")
        stream.flush()
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match=r"another process works on it \(pid 4711\)"):
            train_run(data, spec_of(), out)
        assert [path.name for path in out.iterdir()] == [".lock"]
    train_run(
        data, spec_of("static", train={"epochs": 1}), out
    )  # a lock that nobody holds is no obstacle
    assert not (out / ".lock").exists()


def test_the_signal_handler_is_put_back(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Interrupted):
        train_run(data, spec_of(), tmp_path / "run", display=StopAfter(0))
    assert signal.getsignal(signal.SIGTERM) is before


def test_t14_a_learning_rate_that_diverges_leaves_no_weights_behind(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    spec = spec_of("duet", train={"learning_rate": 1e30, "epochs": 3})
    with pytest.raises(
        DivergedError, match=r"lower train.learning_rate or check the features"
    ) as caught:
        train_run(data, spec, tmp_path / "run")
    assert caught.value.exit_code == 70
    assert not list((tmp_path / "run").rglob("*.safetensors"))


@pytest.mark.usefixtures("always")
def test_stages_follow_algorithm_1(whole: Run) -> None:
    rows = whole.history
    assert [(row["stage"], row["epoch"]) for row in rows] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (2, 0),
        (2, 1),
        (2, 2),
        (2, 3),
    ]
    assert [row["step"] for row in rows] == [
        5,
        10,
        15,
        0,
        5,
        10,
        15,
    ]  # epochs and steps are counted in each stage
    assert all(("perplexity" in row) == (row["stage"] == 2 and row["epoch"] > 0) for row in rows)
    assert {row["codes_used"] + row["codes_dead"] for row in rows if "codes_used" in row} == {
        10
    }  # 40 items: k = 40 / 4
    first = max(row["valid"]["UAUC"] for row in rows if row["stage"] == 1)
    assert rows[3]["valid"]["UAUC"] == pytest.approx(
        first, abs=0.02
    )  # codes reach the weights through the clip alone
    kept = [row for row in rows if row["stage"] == 2 and row["best"]][-1]
    assert whole.metrics["valid"]["metrics"]["UAUC"] == kept["valid"]["UAUC"]


def test_ctrl_c_while_the_semantics_are_made_is_resumable_too(
    ids_alone: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        train_run(ids_alone, spec_of("spg", of=ids_alone), tmp_path / "run", display=StopAfter(1))


@pytest.mark.parametrize("model", ["static", "solid-duet"])
def test_fit_all_trains_to_the_last_epoch_and_recommends(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]],
    spec_of: Callable[..., RunSpec],
    tmp_path: Path,
    model: str,
) -> None:
    from solidrec.api import Model

    log, items = walk(users=30)
    data = prepare(log, items=items, out=tmp_path / "data", split="none")
    spec = spec_of(
        model, of=data, train={"epochs": 3, "patience": 1, "patience_steps": 0, "min_steps": 0}
    )
    run = train_run(data, spec, tmp_path / "run")
    assert run.metrics == {}
    last = [row for row in run.history if row["stage"] == max(row["stage"] for row in run.history)][
        -1
    ]
    assert (last["epoch"], last["best"], last["valid"]) == (3, True, None)
    assert len(Model(run).recommend(["i03", "i09"], k=5).items) == 5
    assert int(run.catalog["training_count"].sum()) == len(log)  # nothing was held out


def test_data_without_negatives_keeps_the_last_epoch_and_says_nothing_it_cannot_know(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]],
    spec_of: Callable[..., RunSpec],
    tmp_path: Path,
) -> None:
    data = prepare(walk(users=20)[0], out=tmp_path / "data", negatives=0)
    run = train_run(data, spec_of("static", of=data, train={"epochs": 3}), tmp_path / "run")
    assert run.history[-1]["best"]
    assert run.metrics["test"]["metrics"]["UAUC"] is None
    assert run.metrics["test"]["intervals"]["UAUC"] == [None, None]


def test_other_data_than_the_specification_names_is_refused(
    data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    with pytest.raises(IncompatibleError, match="the specification is of data 0123"):
        train_run(data, spec_of().model_copy(update={"data": "0123"}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_the_run_folder_holds(whole: Run, data: PreparedData) -> None:
    names = {path.name for path in whole.path.iterdir()} - {".lock"}
    assert names == {
        "spec.json",
        "weights.safetensors",
        "items.parquet",
        "semantics",
        "history.jsonl",
        "metrics.json",
        "golden.json",
        "manifest.json",
        "content.json",
        "content.safetensors",
    }
    test = whole.metrics["test"]
    assert (test["protocol"], test["seed"], test["users"], test["negatives"]) == (
        "paper",
        3,
        90,
        data.manifest["negatives"]["test"],
    )
    assert {
        "AUC",
        "UAUC",
        "NDCG@5",
        "NDCG@10",
        "NDCG@20",
        "Recall@5",
        "Recall@10",
        "Recall@20",
        "MRR",
        "LogLoss",
    } == set(test["metrics"])
    assert read_history(whole.path) == whole.history
    facts = whole.manifest
    assert facts["data"]["fingerprint"] == data.fingerprint
    assert facts["parameters"] == sum(parameter.numel() for parameter in whole.model.parameters())
    assert (facts["threads"], facts["seed"], facts["model"], facts["backbone"]) == (
        1,
        3,
        "solid-duet",
        "sasrec",
    )


def test_a_setting_that_was_not_there_when_a_run_was_trained_has_its_default(
    whole: Run, data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    """It is that run still; a setting that nobody knows any more makes it another one."""
    out = shutil.copytree(whole.path, tmp_path / "run")
    original = (out / "spec.json").read_text()
    stored = json.loads(original)
    del stored["model"]["start"], stored["semantics"]["encoded"]
    (out / "spec.json").write_text(json.dumps(stored))
    assert finished(out, spec_of())
    (out / "spec.json").write_text(json.dumps(json.loads(original) | {"gone": 1}))
    with pytest.raises(IncompatibleError, match="gone is 1 there, None here"):
        finished(out, spec_of())
