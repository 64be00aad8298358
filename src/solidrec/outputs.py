"""Where one file may be written that a person names: not over what a folder of ours consists of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from solidrec.artifacts import MANIFEST
from solidrec.disk import check_writable
from solidrec.errors import DamagedError, StorageError
from solidrec.json_files import read_json

_OURS = (MANIFEST, "spec.json", "experiment.json", "results.jsonl", "history.jsonl")
"""Files that make a folder what it is, whether a manifest lists them or not."""


def check_output(path: Path, *, suffix: str) -> None:
    """Raise `StorageError` if a file that is to be written to `path` cannot be, or must not be.

    An output replaces nothing that a manifest lists, no file with another `suffix`, and no device.
    """
    check_writable(path)
    if not path.exists():
        return
    if not path.is_file():
        raise StorageError(f"{path}: is a device and no file; choose another --out")
    if path.suffix and path.suffix.lower() != suffix:
        raise StorageError(
            f"{path}: is there already and is no {suffix} file, so it stays; choose another --out"
        )
    whole = path.resolve()
    for folder in whole.parents:
        if whole.relative_to(folder).as_posix() in (*_OURS, *_listed(folder)):
            raise StorageError(f"{path}: is part of {folder}; choose another --out")


def _listed(folder: Path) -> list[str]:
    """Return the files that a folder's manifest lists, none if it has no manifest."""
    try:
        found: Any = read_json(folder / MANIFEST)
    except (StorageError, DamagedError):
        return []
    files = found.get("files") if isinstance(found, dict) else None
    return list(files) if isinstance(files, dict) else []
