"""A run that is to be replaced stays as it is until the new one has been trained."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.training.test_run import STEPS, StopAfter

from solidrec.artifacts import sha256
from solidrec.data.prepared import PreparedData
from solidrec.errors import DivergedError, Interrupted, StorageError
from solidrec.run_state import successor
from solidrec.runs import load_run
from solidrec.spec import RunSpec
from solidrec.training import run as training_run
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.run import train_run


@pytest.fixture
def old(data: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path) -> Path:
    """A finished run of seed 3."""
    return train_run(data, spec_of("static"), tmp_path / "run").path


def tree(folder: Path) -> dict[str, str]:
    """The sha256 of each file."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_is_replaced_by_the_new_one(
    data: PreparedData, spec_of: Callable[..., RunSpec], old: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    alone = train_run(data, spec_of("static", seed=5), tmp_path / "alone")
    found = train_run(data, spec_of("static", seed=5), old, overwrite=True, say=said.append)
    assert found.path == old
    assert found.spec.seed == 5
    assert tree(old)["weights.safetensors"] == tree(alone.path)["weights.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alone", "run"]
    assert any("stays until the new one has been trained" in line for line in said)


def test_a_training_that_fails_leaves_it(
    data: PreparedData, spec_of: Callable[..., RunSpec], old: Path
) -> None:
    before = tree(old)
    wrong = spec_of("static", train={"learning_rate": 1e30, "epochs": 3})
    with pytest.raises(DivergedError):
        train_run(data, wrong, old, overwrite=True)
    assert tree(old) == before
    load_run(old)


def test_a_stopped_one_goes_on(
    data: PreparedData, spec_of: Callable[..., RunSpec], old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.training.run.Checkpoints", partial(Checkpoints, spacing=0))
    before, said = tree(old), list[str]()
    spec = spec_of("static", seed=5)
    with pytest.raises(Interrupted):
        train_run(data, spec, old, overwrite=True, display=StopAfter(STEPS + 1))
    assert tree(old) == before
    assert train_run(data, spec, old, overwrite=True, say=said.append).spec.seed == 5
    assert any("resumed at stage 1" in line for line in said)
    assert not successor(old).exists()


def test_one_that_was_killed_before_the_old_run_was_removed_is_tidied_up(
    data: PreparedData, spec_of: Callable[..., RunSpec], old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec, remove = spec_of("static", seed=5), shutil.rmtree

    def killed(folder: Path, **options: Any) -> None:
        if folder == successor(old):
            raise KeyboardInterrupt
        remove(folder, **options)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises((KeyboardInterrupt, Interrupted)):
            train_run(data, spec, old, overwrite=True)
    assert load_run(old).spec.seed == 5
    assert train_run(data, spec, old, overwrite=True).spec.seed == 5
    assert not successor(old).exists()


def test_nobody_else_trains_there_meanwhile(
    data: PreparedData, spec_of: Callable[..., RunSpec], old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []
    carry_out = training_run._carry_out

    def meanwhile(*given: Any) -> None:
        with pytest.raises(StorageError) as caught:
            train_run(data, spec_of("static", seed=6), old, overwrite=True)
        refused.append(str(caught.value))
        carry_out(*given)

    monkeypatch.setattr(training_run, "_carry_out", meanwhile)
    train_run(data, spec_of("static", seed=5), old, overwrite=True)
    assert len(refused) == 1
    assert "another process" in refused[0]
    assert load_run(old).spec.seed == 5


def test_a_run_with_something_of_yours_in_it_stays(
    data: PreparedData, spec_of: Callable[..., RunSpec], old: Path
) -> None:
    (old / "notes.txt").write_text("precious")
    with pytest.raises(StorageError, match=r"has 'notes\.txt'"):
        train_run(data, spec_of("static", seed=5), old, overwrite=True)
    assert load_run(old).spec.seed == 3
