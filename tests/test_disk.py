"""Files and folders are whole or absent, have the umask's mode, and a full disk is one line."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from solidrec import disk
from solidrec.artifacts import write_table, write_tensors
from solidrec.disk import check_writable, need_space, new_folder, write_file
from solidrec.errors import StorageError


@pytest.fixture
def umask() -> Iterator[int]:
    """A umask of 027: the group may read, others may not."""
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


def full(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))


def test_files_and_folders_have_the_mode_of_the_umask(tmp_path: Path, umask: int) -> None:
    import polars as pl

    with new_folder(tmp_path / "new") as folder:
        write_file(folder / "a.txt", lambda path: path.write_text("a"))
        write_tensors(folder / "b.safetensors", {"b": torch.zeros(2)})
        write_table(folder / "c.parquet", pl.DataFrame({"c": [1]}))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o777 & ~umask
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}
    assert modes == dict.fromkeys(("a.txt", "b.safetensors", "c.parquet"), 0o666 & ~umask)


def test_the_folder_of_a_rename_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(disk, "sync_folder", synced.append)
    write_file(tmp_path / "a", lambda path: path.write_text("a"))
    assert synced == [tmp_path]
    synced.clear()
    with new_folder(tmp_path / "new"):
        pass
    assert len(synced) == 2  # the new folder itself, before its rename, and then its parent
    assert synced[1] == tmp_path


def test_t5_what_is_known_to_be_too_large_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, 999)
    says = r"/w: cannot write \(No space left on device: 1,000 B are needed, 999 B are free\)"
    with pytest.raises(StorageError, match=says):
        write_file(tmp_path / "w", lambda path: path.write_bytes(bytes(1000)), size=1000)
    weights = {"w": torch.zeros(250)}  # 4 bytes each
    with pytest.raises(StorageError, match=says):
        write_tensors(tmp_path / "w", weights)
    with pytest.raises(StorageError, match=says):
        need_space(tmp_path / "not" / "there" / "w", 1000)
    assert list(tmp_path.iterdir()) == []
    need_space(tmp_path / "w", 999)


def test_t5_a_disk_that_fills_up_while_writing_names_target_and_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, 7)

    def half(path: Path) -> None:
        path.write_bytes(bytes(100))
        raise OSError(28, "No space left on device")

    says = r"/a: cannot write \(No space left on device: 100 B are needed, 7 B are free\)"
    with pytest.raises(StorageError, match=says):
        write_file(tmp_path / "a", half)
    assert list(tmp_path.iterdir()) == []
    with (
        pytest.raises(StorageError, match=rf"^{tmp_path}/new/part: cannot write"),
        new_folder(tmp_path / "new") as folder,
    ):
        write_file(folder / "part", half)  # the message names no temporary folder
    assert list(tmp_path.iterdir()) == []


def test_t6_a_file_that_cannot_be_written_is_known_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    check_writable(tmp_path / "deep" / "a.npy")
    assert list((tmp_path / "deep").iterdir()) == []
    with pytest.raises(StorageError, match=r"deep: is a folder, a file is needed"):
        check_writable(tmp_path / "deep")
    with pytest.raises(StorageError, match=r"file/a.npy: cannot write"):
        check_writable(tmp_path / "file" / "a.npy")


def test_a_folder_that_somebody_else_made_meanwhile_stays(tmp_path: Path) -> None:
    def both() -> None:
        with new_folder(tmp_path / "new") as folder:
            (folder / "mine").write_text("mine")
            (tmp_path / "new").mkdir()
            (tmp_path / "new" / "theirs").write_text("theirs")

    with pytest.raises(StorageError, match="new: exists already"):
        both()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["theirs"]
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_numpy_writes_under_the_name_that_it_is_given(tmp_path: Path) -> None:
    write_file(tmp_path / "a.npy", lambda path: np.save(path, np.arange(3)))
    assert np.load(tmp_path / "a.npy").tolist() == [0, 1, 2]
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]
