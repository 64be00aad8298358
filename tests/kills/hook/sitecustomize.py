"""Count what a process changes on disk; kill its whole group, or fail, at the n-th change.

Python runs this file at its start if its folder is on PYTHONPATH, so worker processes count too.
KILL_LOG names the file that gets one line for each change below the folder KILL_UNDER, just before
it is made; at line KILL_AT everything ends by SIGKILL, or that one change fails with the number
of an error, KILL_ERRNO. Without KILL_LOG nothing is done.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

_WIDTH = 160
_CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.truncate")
_WRITING = os.O_WRONLY | os.O_RDWR


def _paths(event: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The paths that an event is about to change."""
    if event == "open":
        writes = isinstance(args[2], int) and args[2] & _WRITING
        return args[:1] if writes else ()
    if event == "ctypes.dlsym":  # the exchange of two folders, which has no event of its own
        return (os.environ["KILL_UNDER"],) if args[1] == "renameat2" else ()
    return args[:2] if event in _CHANGES else ()


def install() -> None:
    """Watch this process from now on."""
    under, at = os.path.realpath(os.environ["KILL_UNDER"]), int(os.environ["KILL_AT"])
    number = int(os.environ.get("KILL_ERRNO", "0"))
    log = os.open(os.environ["KILL_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(event: str, path: Any) -> None:
        name = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if name == under or name.startswith(under + os.sep):
            line = f"{event} {os.path.relpath(name, under)}"
            os.write(log, f"{line[: _WIDTH - 1]:<{_WIDTH - 1}}\n".encode("ascii", "replace"))
            if os.fstat(log).st_size != at * _WIDTH:
                return
            if number:
                raise OSError(number, os.strerror(number), name)
            os.killpg(0, signal.SIGKILL)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        paths = [p for p in _paths(event, args) if isinstance(p, str | bytes | os.PathLike)]
        if paths:
            note(event, os.fsdecode(paths[0]))

    fsync = os.fsync

    def watched(handle: Any) -> None:
        descriptor = handle if isinstance(handle, int) else handle.fileno()
        note("fsync", os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(handle)

    os.fsync = watched
    sys.addaudithook(hook)


if os.environ.get("KILL_LOG"):
    install()
