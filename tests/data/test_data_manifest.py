"""The manifest of a prepared folder must say what its readers use, and list what they read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.data_manifest import read_data_manifest
from solidrec.data.prepared import PreparedData
from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.json_files import sealed


@pytest.fixture
def copy(data: PreparedData, tmp_path: Path) -> Path:
    """A copy of a prepared folder."""
    return Path(shutil.copytree(data.path, tmp_path / "data"))


def change(folder: Path, *, seal: bool, **changes: Any) -> None:
    """Change a manifest; without a `seal`, as a folder of an earlier version."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text()) | changes
    manifest.pop("sha256", None)
    manifest = {key: value for key, value in manifest.items() if value != "gone"}
    path.write_text(json.dumps(sealed(manifest) if seal else manifest))


def test_what_is_read_is_what_was_written(copy: Path, data: PreparedData) -> None:
    assert read_data_manifest(copy) == data.manifest
    assert "sha256" not in data.manifest
    change(copy, seal=False)
    assert read_data_manifest(copy) == data.manifest  # a folder of an earlier version


@pytest.mark.parametrize("seal", [True, False])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("fingerprint", 5),
        ("fingerprint", None),
        ("fingerprint", "gone"),
        ("features", "content"),
        ("features", [1]),
        ("features", {"content": 1}),
        ("features", ["content", "another"]),
        ("features", ["../../x"]),
        ("negatives", []),
        ("negatives", {"valid": "99", "test": 99, "seed": 0, "stored": True}),
        ("negatives", {"valid": 99, "test": 99, "seed": 0, "stored": "no"}),
        ("negatives", {"valid": 99, "test": 99, "seed": 0}),
        ("users", True),
        ("users", "many"),
        ("items", 2.5),
        ("split", ["leave-one-out"]),
        ("split", "gone"),
        ("versions", "0.1"),
        ("versions", {"solidrec": 1}),
        ("files", []),
        ("files", {}),
        ("files", "gone"),
        ("files", {"offsets.npy": 5}),
        ("files", {"offsets.npy": {"bytes": "8", "sha256": ""}}),
        ("format", "1"),
        ("format", True),
        ("format", None),
    ],
)
def test_a_fact_of_another_type_is_one_line(copy: Path, key: str, value: Any, seal: bool) -> None:
    change(copy, seal=seal, **{key: value})
    with pytest.raises(
        DamagedError, match=r"^[^\n]*manifest.json: is not as it was written [^\n]*$"
    ) as caught:
        PreparedData.open(copy)
    assert caught.value.exit_code == 77


def test_a_newer_format_is_said_to_be_one_whatever_else_it_has(copy: Path) -> None:
    change(
        copy, seal=False, format=2, files="elsewhere", versions=["0.9"], sha256="of another kind"
    )
    with pytest.raises(IncompatibleError, match=r"\(format 2\), this one reads format 1"):
        PreparedData.open(copy)


def test_every_file_that_is_read_must_be_listed(copy: Path) -> None:
    files = json.loads((copy / "manifest.json").read_text())["files"]
    for name in files:
        change(copy, seal=False, files={key: files[key] for key in files if key != name})
        with pytest.raises(DamagedError, match=f"it does not list {name}"):
            PreparedData.open(copy)


@pytest.mark.parametrize("name", ["/etc/hostname", "../outside", "a/../../outside"])
def test_a_file_outside_the_folder_is_not_looked_at(copy: Path, name: str) -> None:
    files = json.loads((copy / "manifest.json").read_text())["files"]
    change(copy, seal=True, files=files | {name: {"bytes": 0, "sha256": "0"}})
    with pytest.raises(DamagedError, match="which is outside the folder"):
        PreparedData.open(copy)


def test_a_changed_manifest_is_noticed_by_its_seal(copy: Path) -> None:
    path = copy / "manifest.json"
    for key, value in json.loads(path.read_text()).items():
        text = path.read_text()
        path.write_text(json.dumps(json.loads(text) | {key: [value]}))
        with pytest.raises(StorageError if key == "kind" else DamagedError):
            PreparedData.open(copy)
        path.write_text(text)
