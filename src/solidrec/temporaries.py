"""Names of what is being written, and the removal of what dead processes left half written.

A temporary file or folder is called ``.tmp-PID@HOST-...`` (``.old-...`` for one that is on its way
out). Whoever writes in a folder next removes those of dead processes. A process can be looked up on
its own machine only, so on a shared disk those of other machines are left alone.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from solidrec.errors import StorageError

_ROOT = "{}: is a folder that nothing can replace; name one inside it"
BEGINNINGS = (".tmp-", ".old-")
_HOST = re.sub(r"[^A-Za-z0-9_.]", "_", socket.gethostname())[:64]
_NAME = re.compile(r"\.(?:tmp|old)-(?P<pid>[0-9]{1,10})@(?P<host>[A-Za-z0-9_.]+)-")
_EARLIER = re.compile(r"\.(?:tmp|old)-(?P<pid>[0-9]{1,10})-")
"""Names of versions before 0.2, which did not say the machine: always this one."""


def destination(path: Path) -> Path:
    """Return where a folder is to be made or replaced: where a link leads, and what ``.`` is.

    Raises `StorageError` for the root of all folders, and for a link that leads nowhere.
    """
    try:
        path = path.resolve() if path.is_symlink() or not path.name else path
    except (OSError, RuntimeError):  # the latter before Python 3.13
        raise StorageError(
            f"{path}: is a link that leads to itself; remove it, or choose another --out"
        ) from None
    if not path.name:
        raise StorageError(_ROOT.format(path))
    return path


def temporary(path: Path, *, old: bool = False) -> Path:
    """Return a new name beside `path` for what is to take its place, or (`old`) what was there.

    It is absolute: some writers take a relative ``~/run`` for a folder at home.

    >>> temporary(Path("data/run")).name.startswith(f".tmp-{os.getpid()}@")
    True
    """
    if not path.name:
        raise StorageError(_ROOT.format(path))
    suffix = path.suffix[:16]  # by which some writers tell the format
    name = f"{BEGINNINGS[old]}{os.getpid()}@{_HOST}-{token_hex(4)}{suffix}"
    return path.absolute().with_name(name)


def sweep(folder: Path, *, deep: bool = False) -> int:
    """Remove what dead processes left half written in `folder`, and return how much that was.

    With `deep`, its folders are searched too; links are not followed. What cannot be removed stays.
    """
    found = 0
    for root, folders, files in os.walk(folder):
        left = {name for name in (*folders, *files) if is_left_over(name)}
        for name in left:
            _remove(Path(root, name))
        found += len(left)
        folders[:] = [name for name in folders if deep and name not in left]
    return found


def is_left_over(name: str) -> bool:
    """Return whether a name is that of a temporary file of a process that is dead.

    >>> is_left_over("weights.safetensors"), is_left_over(f".tmp-{os.getpid()}-run")
    (False, False)
    """
    match = _NAME.match(name) or _EARLIER.match(name)
    if match is None or match.groupdict().get("host", _HOST) != _HOST:
        return False
    return not _lives(int(match["pid"]))


def _lives(pid: int) -> bool:
    """Return whether a process of this machine is alive; a zombie is, until it is waited for."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return pid > 0


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder, as far as the disk allows."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()
