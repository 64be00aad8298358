"""What dead processes left half written is removed; what living ones write is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from solidrec import temporaries
from solidrec.errors import StorageError
from solidrec.temporaries import destination, is_left_over, sweep, temporary


@pytest.fixture(scope="module")
def dead() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


HOST = temporaries._HOST


@pytest.mark.parametrize(
    ("name", "left"),
    [
        (".tmp-{dead}@{host}-0a1b2c3d", True),
        (".tmp-{dead}@{host}-0a1b2c3d.npy", True),
        (".old-{dead}@{host}-0a1b2c3d", True),
        (".tmp-{dead}-abcd_efg", True),  # as versions before 0.2 called them
        (".tmp-{dead}-weights.safetensors", True),
        (".tmp-{alive}@{host}-0a1b2c3d", False),
        (".tmp-{alive}-abcd_efg", False),
        (".tmp-{dead}@elsewhere-0a1b2c3d", False),  # nobody here can know
        (".tmp-notes", False),
        ("tmp-{dead}@{host}-0a1b2c3d", False),
        (".tmp-{dead}", False),
        ("weights.safetensors", False),
    ],
)
def test_which_names_are_left_over(dead: int, name: str, left: bool) -> None:
    assert is_left_over(name.format(dead=dead, host=HOST, alive=os.getpid())) is left


def test_process_ids_that_are_none_are_dead() -> None:
    assert is_left_over(f".tmp-9999999999@{HOST}-x")
    assert is_left_over(f".tmp-0@{HOST}-x")
    assert not is_left_over(f".tmp-1@{HOST}-x")  # init, which is somebody else's


def test_a_sweep_takes_files_and_folders_and_deep_only_if_asked(tmp_path: Path, dead: int) -> None:
    name = f".tmp-{dead}@{HOST}-aa"
    (tmp_path / name / "sub").mkdir(parents=True)
    (tmp_path / f"{name}.json").write_text("half")
    deep = tmp_path / "run" / "checkpoints"
    deep.mkdir(parents=True)
    (deep / name).write_text("half")
    mine = temporary(tmp_path / "mine")
    mine.write_text("in work")
    assert sweep(tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([mine.name, "run"])
    assert (deep / name).is_file()
    assert sweep(tmp_path, deep=True) == 1
    assert list(deep.iterdir()) == []


def test_a_link_is_removed_and_not_followed(tmp_path: Path, dead: int) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / f".tmp-{dead}@{HOST}-x").write_text("behind a link")
    (tmp_path / "swept").mkdir()
    (tmp_path / "swept" / f".tmp-{dead}@{HOST}-y").symlink_to(tmp_path / "precious")
    (tmp_path / "swept" / "link").symlink_to(tmp_path / "precious")
    assert sweep(tmp_path / "swept", deep=True) == 1
    assert [path.name for path in (tmp_path / "swept").iterdir()] == ["link"]
    assert len(list((tmp_path / "precious").iterdir())) == 1


def test_a_folder_that_is_not_there_has_nothing_left(tmp_path: Path) -> None:
    assert sweep(tmp_path / "nowhere", deep=True) == 0


def test_names_are_new_each_time_short_and_keep_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 120 + ".npy")
    first, second = temporary(path), temporary(path, old=True)
    assert first != second
    assert first.suffix == ".npy"
    assert first.parent == path.parent
    assert len(os.fsencode(first.name)) < 255
    assert (first.name[:5], second.name[:5]) == (".tmp-", ".old-")


def test_a_link_that_leads_to_itself_is_no_destination(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StorageError, match="loop: is a link that leads to itself"):
        destination(tmp_path / "loop")
