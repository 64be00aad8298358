"""What ``--overwrite`` may replace: a folder of the same kind, and nothing of anybody else's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from solidrec.artifacts import MANIFEST
from solidrec.errors import DamagedError, StorageError
from solidrec.json_files import read_json
from solidrec.locks import LOCK
from solidrec.temporaries import BEGINNINGS

LEFT_BEHIND = (LOCK, *BEGINNINGS)
"""Beginnings of the names of what a process leaves in its folder if it is killed early."""


def is_empty(folder: Path, known: tuple[str, ...] = ()) -> bool:
    """Return whether a folder has nothing but what a killed process leaves, or what is `known`."""
    return all(path.name.startswith((*LEFT_BEHIND, *known)) for path in folder.iterdir())


def check_overwrite(out: Path, *, kind: str, own: Iterable[str], called: str) -> None:
    """Raise `StorageError` unless `out` is absent, empty, or of `kind` with nothing else in it.

    `own` are names that such a folder may have besides the files that its manifest lists, and
    `called` is what people call it.
    """
    if not out.exists() or (out.is_dir() and is_empty(out)):
        return
    manifest = _manifest_of(out)
    if manifest.get("kind") != kind:
        raise StorageError(
            f"{out}: is not a {called} folder, so --overwrite leaves it alone; choose another --out"
        )
    listed = manifest.get("files")
    known = {*own, MANIFEST, *(name.split("/")[0] for name in (listed if listed else ()))}
    check_own(out, known, called=called)


def check_own(out: Path, known: Iterable[str], *, called: str) -> None:
    """Raise `StorageError` if a folder has anything but what is `known`."""
    known = set(known)
    others = sorted(
        path.name
        for path in out.iterdir()
        if path.name not in known and not path.name.startswith(LEFT_BEHIND)
    )
    if others:
        raise StorageError(
            f"{out}: has {others[0]!r} in it, which is no part of a {called} folder, so "
            "--overwrite leaves it alone; move that, or choose another --out"
        )


def _manifest_of(out: Path) -> dict[str, Any]:
    """Return the manifest of a folder as far as it can be read."""
    try:
        found = read_json(out / MANIFEST)
    except (StorageError, DamagedError):
        return {}
    return found if isinstance(found, dict) else {}
