"""The manifest of a prepared folder: what it must say and which files it must list."""

from __future__ import annotations

from pathlib import Path
from typing import Any, final

from solidrec.artifacts import Facts, read_manifest, require

KIND = "data"
_ARRAYS = ("offsets", "event_items", "event_times", "train_end")
_FILES = ("users.parquet", "items.parquet", *(f"{name}.npy" for name in _ARRAYS))


@final
class _Negatives(Facts):
    """How many negatives a target has in each split, and whether they are stored."""

    stored: bool
    seed: int
    valid: int = 0
    test: int = 0


@final
class _DataFacts(Facts):
    """The facts of a prepared folder that its readers use."""

    users: int
    items: int
    interactions: int
    fingerprint: str
    split: str
    features: list[str]
    negatives: _Negatives


def read_data_manifest(path: Path) -> dict[str, Any]:
    """Return the manifest of a prepared folder, every file of which is checked and listed.

    Raises as `artifacts.read_manifest` does.
    """
    manifest = read_manifest(path, kind=KIND, files=_FILES, facts=_DataFacts)
    negatives = manifest["negatives"]
    parts = ("users", "positions", *(("negatives",) if negatives["stored"] else ()))
    names = [
        f"{split}_{part}" for split in ("valid", "test") if split in negatives for part in parts
    ]
    names += [f"feature_{name}" for name in manifest["features"]]
    tables = ["attributes.parquet"] if manifest.get("attributes") else []
    require(path, manifest, [f"{name}.npy" for name in names] + tables)
    return manifest
