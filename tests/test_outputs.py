"""An output never replaces a file of a run, of data or of an experiment, another kind of file or a
device.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from solidrec.api import load
from solidrec.batch_files import export_items
from solidrec.errors import StorageError
from solidrec.outputs import check_output
from solidrec.runs import load_run


@pytest.mark.parametrize("name", ["items.parquet", "weights.safetensors", "manifest.json"])
def test_a_file_that_a_manifest_lists_stays(run_folder: Path, name: str) -> None:
    path = run_folder / name
    with pytest.raises(StorageError, match=r"is part of .*; choose another --out"):
        check_output(path, suffix=path.suffix)


def test_files_in_folders_of_a_folder_are_listed_too(tmp_path: Path) -> None:
    (tmp_path / "users").mkdir()
    (tmp_path / "users" / "a.parquet").touch()
    check_output(tmp_path / "users" / "a.parquet", suffix=".parquet")
    (tmp_path / "manifest.json").write_text('{"files": {"users/a.parquet": {}}}')
    with pytest.raises(StorageError, match=r"is part of"):
        check_output(tmp_path / "users" / "a.parquet", suffix=".parquet")


@pytest.mark.parametrize("name", ["spec.json", "experiment.json", "results.jsonl"])
def test_files_that_no_manifest_lists_yet_stay(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    with pytest.raises(StorageError, match=r"is part of"):
        check_output(path, suffix=path.suffix)


def test_what_an_output_may_replace(tmp_path: Path) -> None:
    for name in ("new.parquet", "no-suffix", "NEW.PARQUET"):
        check_output(tmp_path / name, suffix=".parquet")
        (tmp_path / name).touch()
        check_output(tmp_path / name, suffix=".parquet")
    (tmp_path / "log.csv").touch()
    with pytest.raises(StorageError, match=r"is no \.parquet file, so it stays"):
        check_output(tmp_path / "log.csv", suffix=".parquet")
    (tmp_path / "link.parquet").symlink_to(tmp_path / "log.csv")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match=r"pipe: is a device and no file"):
        check_output(tmp_path / "pipe", suffix=".parquet")


def test_a_link_to_a_file_of_a_run_stays(run_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "v.parquet").symlink_to(run_folder / "items.parquet")
    with pytest.raises(StorageError, match=r"is part of"):
        check_output(tmp_path / "v.parquet", suffix=".parquet")


def test_exported_vectors_do_not_replace_the_run(run_folder: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(run_folder, tmp_path / "run"))
    with pytest.raises(StorageError, match=r"is part of"):
        export_items(load(run).engine, run / "items.parquet")
    load_run(run)


def test_a_folder_called_like_home_is_read_and_written_where_it_is(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``~`` in a relative path is a name, as everywhere in Python."""
    here, home = tmp_path / "here", tmp_path / "home"
    (here / "~").mkdir(parents=True)
    home.mkdir()
    shutil.copytree(run_folder, here / "~" / "run")
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    engine = load(Path("~/run")).engine
    assert export_items(engine, Path("~/v.parquet")) == len(engine.run.items)
    assert (here / "~" / "v.parquet").stat().st_size > 0
    assert list(home.iterdir()) == []
