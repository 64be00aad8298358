"""What is in a folder that a run is to be written to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from solidrec.errors import IncompatibleError, StorageError
from solidrec.json_files import read_json, write_json
from solidrec.run_state import clear_other, filled, finished
from solidrec.spec import RunSpec


@pytest.fixture
def copy(run_folder: Path, tmp_path: Path) -> Path:
    """A copy of a finished run."""
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


def spec_of(run: Path, **changes: Any) -> RunSpec:
    return RunSpec.parse(read_json(run / "spec.json") | changes)


def test_a_finished_an_unfinished_and_an_absent_run(copy: Path, tmp_path: Path) -> None:
    spec = spec_of(copy)
    assert finished(copy, spec)
    (copy / "manifest.json").unlink()
    assert not finished(copy, spec)
    assert not finished(tmp_path / "none", spec)


def test_another_specification_is_refused_and_its_cure_is_named(copy: Path) -> None:
    says = r"seed is 0 there, 9 here\); choose another --out, or say --overwrite"
    with pytest.raises(IncompatibleError, match=says):
        finished(copy, spec_of(copy, seed=9))


def test_clearing_removes_a_run_of_another_specification_only(copy: Path) -> None:
    before = sorted(path.name for path in copy.iterdir())
    assert not clear_other(copy, spec_of(copy))
    assert sorted(path.name for path in copy.iterdir()) == before
    assert clear_other(copy, spec_of(copy, seed=9))
    assert [path.name for path in copy.iterdir() if path.name != ".lock"] == []
    assert not clear_other(copy, spec_of_defaults())


def spec_of_defaults() -> RunSpec:
    return RunSpec(data="x")


def test_clearing_goes_on_where_it_was_stopped(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, unlink = spec_of(copy, seed=9), Path.unlink
    left = [3]

    def stops(path: Path, missing_ok: bool = False) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", stops)
    with pytest.raises(KeyboardInterrupt):
        clear_other(copy, spec)
    monkeypatch.undo()
    assert not (copy / "manifest.json").exists()  # it is no finished run any more
    assert (copy / "spec.json").is_file()  # and it is still known whose it is
    assert clear_other(copy, spec)
    assert list(copy.iterdir()) == []


def test_clearing_leaves_what_is_no_part_of_a_run(copy: Path) -> None:
    (copy / "notes.txt").write_text("precious")
    with pytest.raises(StorageError, match=r"has 'notes.txt' in it, which is no part of a run"):
        clear_other(copy, spec_of(copy, seed=9))
    assert finished(copy, spec_of(copy))


@pytest.mark.parametrize("spec", [{"model": {"dim": "x"}}, {"unknown": 1}, [], 5, None])
def test_a_specification_that_is_none_of_ours_stays_as_it_is(spec: Any) -> None:
    assert filled(spec) == spec


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    write_json(tmp_path / "mine.json", 1)
    with pytest.raises(StorageError, match="exists and is not a run folder"):
        finished(tmp_path, spec_of_defaults())
