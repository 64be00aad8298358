"""The lock of a folder, and the signal that stops training."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from solidrec.errors import StorageError

LOCK = ".lock"
"""The file in a folder that is locked."""


@contextmanager
def locked(out: Path, *, doing: str = "is training here") -> Iterator[None]:
    """Create a folder and lock it, or raise `StorageError` that says what the holder is `doing`."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        stream = (out / LOCK).open("a+")
    except OSError as error:
        raise StorageError(
            f"{out}: cannot write ({error.strerror or error}); choose another --out"
        ) from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.seek(0)
            raise StorageError(
                f"{out}: another process {doing} (pid {stream.read().strip()}); wait for it"
            ) from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM stop training as Ctrl-C does, if this is the main thread."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # only the main thread can handle signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
