"""Overwriting replaces a folder of the same kind and nothing of anybody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidrec.artifacts import write_manifest
from solidrec.errors import StorageError
from solidrec.overwrite import check_overwrite, is_empty


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    folder = tmp_path / "toy"
    (folder / "part").mkdir(parents=True)
    (folder / "part" / "a").write_text("a")
    write_manifest(folder, kind="toy", files=["part/a"], facts={})
    return folder


def check(folder: Path, kind: str = "toy") -> None:
    check_overwrite(folder, kind=kind, own=("cache",), called=kind)


def test_one_of_the_kind_an_empty_one_and_none_may_be_replaced(toy: Path, tmp_path: Path) -> None:
    check(toy)
    check(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".lock").touch()
    (tmp_path / "empty" / ".tmp-1@x-y").touch()
    check(tmp_path / "empty")
    (toy / "cache").mkdir()
    check(toy)


def test_another_kind_may_not(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for folder in (toy, tmp_path / "thesis", tmp_path / "file"):
        with pytest.raises(
            StorageError, match="is not a data folder, so --overwrite leaves it alone"
        ):
            check(folder, "data")


def test_something_in_it_that_is_no_part_of_it_saves_it(toy: Path) -> None:
    (toy / "notes.txt").write_text("precious")
    with pytest.raises(StorageError, match=r"toy: has 'notes.txt' in it, .* move that"):
        check(toy)


@pytest.mark.parametrize("manifest", ["{", "[]", '{"kind": "toy", "files": {}}'])
def test_a_manifest_that_does_not_say_so_saves_it_too(toy: Path, manifest: str) -> None:
    (toy / "manifest.json").write_text(manifest)
    with pytest.raises(StorageError, match="leaves it alone"):
        check(toy)


def test_what_is_empty(tmp_path: Path) -> None:
    assert is_empty(tmp_path)
    (tmp_path / ".lock").touch()
    (tmp_path / ".old-5-x").mkdir()
    assert is_empty(tmp_path)
    (tmp_path / ".workers").touch()
    assert not is_empty(tmp_path)
    assert is_empty(tmp_path, known=(".workers",))
