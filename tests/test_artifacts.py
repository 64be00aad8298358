"""Artifacts are whole or absent, and a manifest notices every changed byte."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from solidrec.artifacts import _FORMAT, read_manifest, write_manifest
from solidrec.disk import new_folder, write_file
from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.json_files import read_json, write_json
from solidrec.provenance import versions


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """A folder of kind ``toy`` with two files."""
    folder = tmp_path / "toy"
    with new_folder(folder) as temporary:
        (temporary / "a.bin").write_bytes(bytes(range(256)))
        write_json(temporary / "b.json", {"é": [1, 2.5, None]})
        write_manifest(temporary, kind="toy", files=["b.json", "a.bin"], facts={"answer": 42})
    return folder


def change_manifest(folder: Path, **changes: Any) -> None:
    """Change facts, and leave the seal out as versions before 0.2 did."""
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["sha256"]
    (folder / "manifest.json").write_text(
        json.dumps({k: v for k, v in (manifest | changes).items() if v is not None})
    )


def test_round_trip(artifact: Path) -> None:
    manifest = read_manifest(artifact, kind="toy")
    assert (manifest["kind"], manifest["format"], manifest["answer"]) == ("toy", _FORMAT, 42)
    assert list(manifest["files"]) == ["a.bin", "b.json"]
    assert manifest["files"]["a.bin"]["bytes"] == 256
    assert manifest["versions"] == versions()
    assert read_json(artifact / "b.json") == {"é": [1, 2.5, None]}
    assert sorted(path.name for path in artifact.iterdir()) == ["a.bin", "b.json", "manifest.json"]
    assert [path.name for path in artifact.parent.iterdir()] == ["toy"]


def test_truncated_file(artifact: Path) -> None:
    os.truncate(artifact / "a.bin", 255)
    with pytest.raises(
        DamagedError, match=r"a\.bin: is truncated or changed \(file 255 B, manifest 256 B\)"
    ):
        read_manifest(artifact, kind="toy")


@pytest.mark.parametrize("offset", [0, 128, 255])
def test_flipped_bit(artifact: Path, offset: int) -> None:
    content = bytearray((artifact / "a.bin").read_bytes())
    content[offset] ^= 1
    (artifact / "a.bin").write_bytes(content)
    with pytest.raises(DamagedError, match=r"a\.bin: its bytes changed"):
        read_manifest(artifact, kind="toy")


def test_missing_file(artifact: Path) -> None:
    (artifact / "b.json").unlink()
    with pytest.raises(DamagedError, match=r"b\.json: is missing"):
        read_manifest(artifact, kind="toy")


def test_missing_manifest_and_missing_folder(artifact: Path) -> None:
    (artifact / "manifest.json").unlink()
    for folder in (artifact, artifact / "nowhere", artifact / "a.bin"):
        with pytest.raises(StorageError, match="is not a toy folder of solidrec"):
            read_manifest(folder, kind="toy")


def test_wrong_kind(artifact: Path) -> None:
    with pytest.raises(StorageError, match="is a 'toy' folder, a 'run' folder is needed"):
        read_manifest(artifact, kind="run")


def test_newer_format(artifact: Path) -> None:
    change_manifest(artifact, format=_FORMAT + 1, versions={"solidrec": "9.9"})
    with pytest.raises(
        IncompatibleError,
        match=rf"written by solidrec 9\.9 \(format {_FORMAT + 1}\), "
        rf"this one reads format {_FORMAT}",
    ):
        read_manifest(artifact, kind="toy")


@pytest.mark.parametrize(
    "changes",
    [
        {"files": None},
        {"files": ["a.bin"]},
        {"files": {"a.bin": {}}},
        {"format": "1"},
        {"format": None},
    ],
)
def test_a_manifest_of_another_shape(artifact: Path, changes: dict[str, Any]) -> None:
    change_manifest(artifact, **changes)
    with pytest.raises(DamagedError, match=r"manifest\.json: is not as it was written"):
        read_manifest(artifact, kind="toy")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"kind": "toy"'])
def test_a_manifest_that_is_no_json(artifact: Path, content: bytes) -> None:
    (artifact / "manifest.json").write_bytes(content)
    with pytest.raises(DamagedError, match="is not valid JSON"):
        read_manifest(artifact, kind="toy")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused_and_the_old_file_stays(
    tmp_path: Path, number: float
) -> None:
    write_json(tmp_path / "a.json", {"old": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"deep": [number]})
    assert read_json(tmp_path / "a.json") == {"old": 1}


@pytest.mark.parametrize(
    "fault",
    [OSError(28, "No space left on device"), ValueError("not a disk's fault"), KeyboardInterrupt()],
)
def test_a_failing_writer_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, fault: BaseException
) -> None:
    write_file(tmp_path / "a.txt", lambda path: path.write_text("old"))

    def half(path: Path) -> None:
        path.write_text("ha")
        raise fault

    with pytest.raises(StorageError if isinstance(fault, OSError) else type(fault)):
        write_file(tmp_path / "a.txt", half)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize(
    "fault",
    [OSError(28, "No space left on device"), ValueError("not a disk's fault"), KeyboardInterrupt()],
)
def test_a_failing_block_leaves_the_old_folder_and_nothing_else(
    artifact: Path, fault: BaseException
) -> None:
    def half() -> None:
        with new_folder(artifact, replace=True) as temporary:
            (temporary / "half").write_text("ha")
            raise fault

    with pytest.raises(StorageError if isinstance(fault, OSError) else type(fault)):
        half()
    assert read_manifest(artifact, kind="toy")["answer"] == 42
    assert [path.name for path in artifact.parent.iterdir()] == ["toy"]


def test_nothing_is_seen_before_the_block_ends(tmp_path: Path) -> None:
    with new_folder(tmp_path / "new") as temporary:
        (temporary / "file").write_text("x")
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new" / "file").read_text() == "x"


def test_replace_takes_the_place_of_all_old_files(artifact: Path) -> None:
    with new_folder(artifact, replace=True) as temporary:
        (temporary / "c").write_text("new")
    assert [path.name for path in artifact.iterdir()] == ["c"]
    assert [path.name for path in artifact.parent.iterdir()] == ["toy"]


def test_an_old_folder_is_not_replaced_unasked(artifact: Path) -> None:
    with (
        pytest.raises(StorageError, match="exists already; remove it or choose another --out"),
        new_folder(artifact),
    ):
        raise AssertionError("the block ran")
    assert read_manifest(artifact, kind="toy")["answer"] == 42


def test_a_file_where_a_folder_should_be_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="cannot write"):
        write_json(tmp_path / "file" / "a.json", 1)
    with (
        pytest.raises(StorageError, match="cannot write"),
        new_folder(tmp_path / "file" / "folder"),
    ):
        raise AssertionError("the block ran")


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        read_json(tmp_path / "a.json")
    with pytest.raises(StorageError, match="cannot read"):
        read_json(tmp_path)


def test_a_folder_is_replaced_in_one_step(artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At no moment is there nothing under its name: the two change places."""
    seen = []
    rename = os.replace

    def watched(source: Path, target: Path) -> None:
        seen.append((Path(source).name, Path(target).name))
        rename(source, target)

    with new_folder(artifact, replace=True) as temporary:
        (temporary / "new").write_text("new")
        monkeypatch.setattr(os, "replace", watched)
    assert seen == []
    assert [path.name for path in artifact.iterdir()] == ["new"]
    assert [path.name for path in artifact.parent.iterdir()] == [artifact.name]


def test_without_exchange_the_old_folder_is_moved_aside(
    artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.disk._exchange", lambda one, other: False)
    with new_folder(artifact, replace=True) as temporary:
        (temporary / "new").write_text("new")
    assert [path.name for path in artifact.iterdir()] == ["new"]
    assert [path.name for path in artifact.parent.iterdir()] == [artifact.name]


def test_a_link_to_a_folder_stays_one_and_a_file_is_refused(artifact: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(artifact)
    with new_folder(link, replace=True) as temporary:
        (temporary / "new").write_text("new")
    assert link.is_symlink()
    assert [path.name for path in artifact.iterdir()] == ["new"]
    (tmp_path / "file").write_text("mine")
    with (
        pytest.raises(StorageError, match="is a file"),
        new_folder(tmp_path / "file", replace=True),
    ):
        raise AssertionError("not reached")
    assert (tmp_path / "file").read_text() == "mine"
