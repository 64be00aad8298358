"""The folder that a preparation writes: what is there before, and what stays of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from solidrec.artifacts import MANIFEST
from solidrec.data.data_manifest import KIND
from solidrec.data.encoded import CACHE, FEATURE_NAME, FOLDER
from solidrec.errors import SolidrecError, StorageError
from solidrec.json_files import read_json
from solidrec.overwrite import check_overwrite

_BESIDE = (FOLDER, "semantics", "experts")
"""What encoding and training add to a prepared folder."""


def job_of(sources: Iterable[Any], settings: Mapping[str, Any]) -> str:
    """Return a hash of the files that a preparation reads, their times, and its settings.

    Returns "" where something is in memory, which is never known to be the same again.
    """
    files = []
    parts = (source if isinstance(source, list | tuple) else [source] for source in sources)
    for source in chain.from_iterable(parts):
        if not isinstance(source, str | Path | None):
            return ""
        path = Path(source or "")
        # A text may name a column instead, or be too long for a file.
        found = path.stat() if os.path.isfile(path) else None
        files.append(
            (str(source), found and (str(path.resolve()), found.st_size, found.st_mtime_ns))
        )
    known = json.dumps([files, dict(settings)], sort_keys=True, default=str)
    return hashlib.sha256(known.encode()).hexdigest()


def check_out(out: Path, *, overwrite: bool) -> None:
    """Refuse an `out` that exists; with `overwrite`, all but a prepared or an empty folder."""
    if overwrite:
        check_overwrite(out, kind=KIND, own=_BESIDE, called="prepared")
    elif out.exists():
        raise StorageError(f"{out}: exists already; choose another --out or say --overwrite")


def carry_over(
    old: Path, new: Path, *, fingerprint: str, say: Callable[[str], None] = lambda line: None
) -> None:
    """Link what encoding and training added to the folder `old` into `new`, if the data are equal.

    Of other data only the cache of vectors stays; the encoded features that go are named.
    """
    if not old.is_dir():
        return
    added = [name for name in _BESIDE if (old / name).is_dir()]
    if _facts_of(old).get("fingerprint") == fingerprint:
        for name in added:
            _link(old / name, new / name)
        if added:
            say(f"the data are as before, so what was added to them stays: {', '.join(added)}")
        return
    if (old / FOLDER / CACHE).is_dir():
        _link(old / FOLDER / CACHE, new / FOLDER / CACHE)
    names = (path.name for path in (old / FOLDER).glob("*"))
    gone = sorted(name for name in names if FEATURE_NAME.fullmatch(name))
    if gone:
        say(
            f"the data are other than before, so the encoded features {', '.join(gone)} go: encode "
            "them again (`solidrec encode`); the vectors of items that stayed are in the cache"
        )


def _facts_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of a folder, unchecked; empty if it has none."""
    try:
        found = read_json(folder / MANIFEST)
    except SolidrecError:
        return {}
    return found if isinstance(found, dict) and found.get("kind") == KIND else {}


def _link(old: Path, new: Path) -> None:
    """Copy a folder by hard links, as its files are replaced and never changed."""
    shutil.copytree(
        old, new, copy_function=_link_file, ignore=shutil.ignore_patterns(".tmp-*", ".old-*")
    )


def _link_file(old: str, new: str) -> None:
    try:
        os.link(old, new)
    except OSError:  # a file system without hard links
        shutil.copy2(old, new)
