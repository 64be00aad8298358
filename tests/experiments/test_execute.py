"""An experiment runs what is missing, and a kill at any moment costs nothing that was finished."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solidrec.api import load
from solidrec.data.prepared import PreparedData
from solidrec.errors import IncompatibleError, SolidrecError, StorageError, UsageError
from solidrec.evaluate.baselines import EXTRAS
from solidrec.experiments.execute import run_experiment
from solidrec.experiments.experiment_spec import ExperimentSpec
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.json_files import read_json, sealed

GRID = {
    "title": "tiny",
    "seeds": 2,
    "axes": {"model.name": ["static", "solid-duet"]},
    "rows": [{"name": "popularity", "baseline": "popularity"}],
}


@pytest.fixture(scope="module")
def settings(tiny: dict[str, Any]) -> dict[str, Any]:
    return {"model": tiny["model"], "train": tiny["train"] | {"epochs": 2}}


@pytest.fixture(scope="module")
def finished(
    data: PreparedData, settings: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A finished experiment; nobody writes to it."""
    out = tmp_path_factory.mktemp("experiment") / "out"
    run_experiment("tiny", ExperimentSpec.parse(GRID), data.path, out, jobs=1, settings=settings)
    return out


def test_each_cell_has_one_line_with_its_provenance(finished: Path, data: PreparedData) -> None:
    plan, results = Plan.load(finished), Results(finished)
    assert results.missing(plan) == []
    assert (
        len((finished / "results.jsonl").read_text(encoding="utf-8").splitlines())
        == len(plan.places)
        == 2 * 2 + 1
    )
    for place in plan.places:
        record = results.records[place.key]
        assert (record["data"], record["seed"]) == (data.fingerprint, place.seed)
        assert set(record["evaluations"]) == {"paper", "full"}
        assert record["versions"]["solidrec"]
        assert record["machine"]["threads"] == 1
        assert ("stages" in record) == (place.row != "popularity")


def test_the_result_is_that_of_the_run_folder(finished: Path, data: PreparedData) -> None:
    plan, results = Plan.load(finished), Results(finished)
    place = next(place for place in plan.places if place.row == "solid-duet")
    found = load(finished / "runs" / place.key).evaluate(data)
    assert results.records[place.key]["evaluations"]["paper"]["metrics"] == found.metrics
    row = next(row for row in results.measured(plan, "paper") if row.name == "solid-duet")
    assert row.seeds == (0, 1)
    np.testing.assert_array_equal(row.per_user["UAUC"][0], found.per_user["UAUC"])
    assert row.mean("UAUC") == pytest.approx(np.mean(row.of_seeds("UAUC")))


def test_a_second_call_runs_nothing_and_a_larger_grid_only_what_is_new(
    finished: Path, data: PreparedData, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []

    def carry_out(cells: Any, *others: Any, **named: Any) -> dict[str, Exception]:
        ran.extend(f"{cell.row} {cell.seed}" for cell in cells)
        return {}

    monkeypatch.setattr("solidrec.experiments.execute._carry_out", carry_out)
    before = (finished / "results.jsonl").read_bytes()
    run_experiment(
        "tiny", ExperimentSpec.parse(GRID), data.path, finished, jobs=1, settings=settings
    )
    assert ran == []
    larger = ExperimentSpec.parse(
        GRID | {"axes": {"model.name": ["duet", "static", "solid-duet"]}, "seeds": 2}
    )
    run_experiment("tiny", larger, data.path, finished, jobs=1, settings=settings)
    assert ran == ["duet 0", "duet 1"]
    run_experiment(
        "tiny", ExperimentSpec.parse(GRID), data.path, finished, jobs=1, settings=settings
    )
    assert (finished / "results.jsonl").read_bytes() == before


def test_a_cell_that_fails_is_named_and_the_others_are_run(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    grid = {"title": "t", "seeds": 1, "axes": {"train.learning_rate": [1e30, 0.01]}}
    settings = {
        "model": tiny["model"] | {"name": "static"},
        "train": {"batch_size": 128, "epochs": 1},
    }
    with pytest.raises(
        SolidrecError,
        match=r"1 of 2 cells failed, first learning_rate 1e\+30 seed 0: .*learning_rate or",
    ):
        run_experiment(
            "t", ExperimentSpec.parse(grid), data.path, tmp_path / "out", jobs=1, settings=settings
        )
    assert len(Results(tmp_path / "out").records) == 1


def test_another_data_set_and_a_second_process_are_refused(
    finished: Path, tmp_path: Path, data: PreparedData
) -> None:
    plan = read_json(finished / "experiment.json")
    other = tmp_path / "other"
    other.mkdir()
    (other / "experiment.json").write_text(
        json.dumps(sealed(plan | {"data": "f" * 64})), encoding="utf-8"
    )
    with pytest.raises(IncompatibleError, match="choose another --out"):
        run_experiment("tiny", ExperimentSpec.parse(GRID), data.path, other, jobs=1)
    with (finished / ".lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StorageError, match="another process works on it; wait for it"):
            run_experiment("tiny", ExperimentSpec.parse(GRID), data.path, finished, jobs=1)


def test_killed_again_and_again_it_ends_with_the_same_table(
    finished: Path, data: PreparedData, settings: dict[str, Any], tmp_path: Path
) -> None:
    out, grid = tmp_path / "out", tmp_path / "tiny.toml"
    grid.write_text(
        'title = "tiny"\nseeds = 2\n[axes]\n"model.name" = ["static", "solid-duet"]\n'
        '[[rows]]\nname = "popularity"\nbaseline = "popularity"\n',
        encoding="utf-8",
    )
    sets = [
        f"--set={group}.{key}={json.dumps(value)}"
        for group, keys in settings.items()
        for key, value in keys.items()
    ]
    command = [
        sys.executable,
        "-m",
        "solidrec.cli",
        "experiment",
        "run",
        str(grid),
        str(data.path),
        "--out",
        str(out),
        *sets,
    ]
    kills, before = 0, -1
    while kills < 3:
        process = subprocess.Popen(
            [*command, "--jobs", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and lines_of(out) <= before:
            time.sleep(0.02)
        if process.poll() is not None:
            break
        process.kill()  # SIGKILL: nothing can be said goodbye to
        process.wait()
        kills, before = kills + 1, lines_of(out)
    assert kills == 3
    with (out / "results.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"key": "torn')  # what a kill in the middle of a write would leave
    ended = subprocess.run(
        [*command, "--jobs", "1", "--json"], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert lines_of(out) == 5  # none lost, none twice
    assert stripped(out) == stripped(finished)
    for one, other in ((a, b) for a, b in zip(users_of(out), users_of(finished), strict=True)):
        assert one.read_bytes() == other.read_bytes()


def lines_of(out: Path) -> int:
    path = out / "results.jsonl"
    return path.read_text(encoding="utf-8").count("\n") if path.is_file() else 0


def users_of(out: Path) -> list[Path]:
    return sorted((out / "users").iterdir())


def stripped(out: Path) -> dict[str, Any]:
    """The records, timings aside."""
    return {
        key: {name: value for name, value in record.items() if name != "seconds"}
        for key, record in Results(out).records.items()
    }


def endless(data: PreparedData, folder: Path, out: Path) -> list[str]:
    """The command of an experiment that does not end by itself."""
    grid = folder / "long.toml"
    grid.write_text(
        'title = "long"\nseeds = 1\n[axes]\n"model.name" = ["static"]\n', encoding="utf-8"
    )
    command = [
        sys.executable,
        "-m",
        "solidrec.cli",
        "experiment",
        "run",
        str(grid),
        str(data.path),
        "--out",
        str(out),
    ]
    long = [
        "--set=train.epochs=100000",
        "--set=train.min_steps=10000000",
        "--set=model.dim=8",
        "--jobs=1",
    ]
    return [*command, *long]


def test_workers_end_with_the_process_that_started_them(
    data: PreparedData, settings: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    command = endless(data, tmp_path, out)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    worker = wait_for(
        lambda: next(
            (int((p.read_text().split() or [0, 0])[1]) for p in out.glob("runs/*/.lock")), 0
        )
    )
    process.kill()
    process.wait()
    wait_for(lambda: not alive(worker))


def holder(lock: Path) -> int:
    """The process that a lock file names, 0 before it does."""
    words = lock.read_text(encoding="utf-8").split()
    return int(words[1]) if words else 0


def wait_for(found: Any, seconds: float = 60) -> Any:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        "(python" not in (stat := Path(f"/proc/{pid}/stat").read_text(encoding="utf-8"))
        or ") Z " not in stat
    )


def test_ctrl_c_stops_and_says_how_to_go_on(data: PreparedData, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = endless(data, tmp_path, out)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_for(lambda: list(out.glob("runs/*/history.jsonl")))
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 75
    assert "run the same command again to go on" in said
    assert "Traceback" not in said
    assert list(out.glob("runs/*/history.jsonl"))


def test_a_damaged_run_folder_is_named_with_what_to_remove_and_then_trained_anew(
    finished: Path, data: PreparedData, settings: dict[str, Any], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished, out)
    (out / "results.jsonl").unlink()
    broken = next(place for place in Plan.load(out).places if place.row == "static")
    folder = out / "runs" / broken.key
    (folder / "metrics.json").write_text("{", encoding="utf-8")
    again = partial(
        run_experiment,
        "tiny",
        ExperimentSpec.parse(GRID),
        data.path,
        out,
        jobs=1,
        settings=settings,
    )
    with pytest.raises(SolidrecError, match=re.escape(f"rm -r {folder}")):
        again()
    shutil.rmtree(folder)
    again()
    assert stripped(out) == stripped(finished)


def test_a_row_that_cannot_be_trained_is_named_before_any_is(
    data: PreparedData, settings: dict[str, Any], tmp_path: Path
) -> None:
    for impossible, said in (
        ({"model.dim": 9}, "model.dim=9 is not a multiple of model.backbone.heads=2"),
        ({"model.name": "spg", "semantics.modalities": ["sound"]}, "'sound' is not in the data"),
    ):
        spec = ExperimentSpec.parse(GRID | {"rows": [{"name": "bad", "settings": impossible}]})
        with pytest.raises(UsageError, match=f"row 'bad': .*{said}"):
            run_experiment("tiny", spec, data.path, tmp_path / "out", jobs=1, settings=settings)
        assert lines_of(tmp_path / "out") == 0


def test_a_baseline_without_its_package_is_named_at_the_start_and_the_others_run(
    data: PreparedData,
    settings: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(EXTRAS, "als", ("als", "no_such_module"))
    rows = [{"name": "ALS", "baseline": "als"}, {"name": "popularity", "baseline": "popularity"}]
    run_experiment(
        "tiny",
        ExperimentSpec.parse({"title": "t", "rows": rows}),
        data.path,
        tmp_path / "out",
        jobs=1,
    )
    assert (
        "ALS: no_such_module is not installed; pip install 'solidrec[als]'; its cell will fail"
        in capsys.readouterr().err
    )
