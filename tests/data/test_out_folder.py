"""What is in the folder of a preparation before, and what stays of it when it is replaced."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.data.encoded import write_encoded
from solidrec.data.out_folder import job_of
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import StorageError

Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


@pytest.fixture
def log(walk: Walk, tmp_path: Path) -> Path:
    """A log on disk."""
    path = tmp_path / "log.csv"
    walk(users=12, items=16, groups=4)[0].write_csv(path)
    return path


def encode(data: PreparedData, name: str) -> None:
    vectors = np.ones((len(data.items), 2), dtype=np.float32)
    write_encoded(data.path, name, vectors, fingerprint=data.fingerprint, facts={})


def test_a_run_is_not_overwritten(log: Path, run_folder: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    before = {path.name: path.stat().st_mtime_ns for path in run.iterdir()}
    with pytest.raises(StorageError, match="run: is not a prepared folder") as caught:
        prepare(log, out=run, negatives=3, overwrite=True)
    assert caught.value.exit_code == 74
    assert {path.name: path.stat().st_mtime_ns for path in run.iterdir()} == before


def test_a_run_inside_the_data_is_not_lost(log: Path, tmp_path: Path) -> None:
    data = prepare(log, out=tmp_path / "data", negatives=3)
    (data.path / "run").mkdir()
    with pytest.raises(StorageError, match=r"data: has 'run' in it, which is no part"):
        prepare(log, out=data.path, negatives=3, overwrite=True)
    assert (data.path / "run").is_dir()


def test_encoded_features_of_the_same_data_stay(log: Path, tmp_path: Path) -> None:
    data = prepare(log, out=tmp_path / "data", negatives=3)
    encode(data, "text")
    (data.path / "semantics" / "0123").mkdir(parents=True)
    said: list[str] = []
    again = prepare(log, out=data.path, negatives=3, overwrite=True, progress=said.append)
    assert list(again.encoded) == ["text"]
    assert (data.path / "semantics" / "0123").is_dir()
    assert said[-1] == (
        "the data are as before, so what was added to them stays: features, semantics"
    )


def test_encoded_features_of_other_data_go_by_name_and_their_vectors_stay(
    log: Path, tmp_path: Path
) -> None:
    data = prepare(log, out=tmp_path / "data", negatives=3)
    encode(data, "text")
    cache = data.path / "features" / ".cache" / "abc"
    cache.mkdir(parents=True)
    (cache / "block.npy").write_bytes(b"vectors")
    said: list[str] = []
    again = prepare(log, out=data.path, negatives=4, overwrite=True, progress=said.append)
    assert again.encoded == {}
    assert (cache / "block.npy").read_bytes() == b"vectors"
    assert said[-1].startswith("the data are other than before, so the encoded features text go")


def test_a_job_is_known_by_its_files_and_settings(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = job_of([tmp_path / "a", None, "column"], {"seed": 0})
    assert first == job_of([tmp_path / "a", None, "column"], {"seed": 0})
    others: list[tuple[Any, Any]] = [
        ([tmp_path / "a", None, "other"], {"seed": 0}),
        ([tmp_path / "a", "column"], {"seed": 0}),
        ([tmp_path / "a", None, "column"], {"seed": 1}),
    ]
    assert len({first, *(job_of(*other) for other in others)}) == 4
    (tmp_path / "a").write_text("22")
    assert job_of([tmp_path / "a", None, "column"], {"seed": 0}) != first
    assert job_of([pl.DataFrame()], {}) == ""


def test_the_same_call_after_a_kill_is_done_and_another_one_is_not(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def killed(path: Path, missing_ok: bool = False) -> None:
        if not path.name.endswith(".lock"):  # a killed process does not remove its lock
            unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", killed)
    prepare(log, out=tmp_path / "data", negatives=3)
    monkeypatch.undo()
    said: list[str] = []
    again = prepare(log, out=tmp_path / "data", negatives=3, progress=said.append)
    assert said == [f"{tmp_path / 'data'}: the same command prepared it before it was killed"]
    assert again.manifest["users"] == 12
    assert not list(tmp_path.glob(".*"))
    with pytest.raises(StorageError, match="exists already"):
        prepare(log, out=tmp_path / "data", negatives=3)
