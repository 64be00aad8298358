"""The lock of a folder, and the signal that stops training.

Whoever writes in a folder holds its lock, ``FOLDER/.lock``; whoever makes or replaces a whole one
also holds ``.FOLDER.lock`` beside it. Both are removed when they are given back. The lock itself is
that of the operating system (`flock`), which ends with its process: a file that a killed process
left behind hinders nobody, and the next holder removes it.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TextIO

from solidrec.errors import StorageError
from solidrec.temporaries import destination, sweep

LOCK = ".lock"
"""The file in a folder that is locked."""


@contextmanager
def locked(out: Path, *, doing: str = "is training here") -> Iterator[None]:
    """Create a folder, lock it, and remove what dead processes left half written in it.

    `doing` is what others are told. Raises `StorageError` that says what another holder is doing,
    who it is, and since when.
    """
    _make(out, out)
    with _held(out / LOCK, out, doing):
        sweep(out, deep=True)
        yield


@contextmanager
def replacing(out: Path, *, doing: str, job: str = "") -> Iterator[str]:
    """Lock the name of a folder that is to be made or replaced, and the folder if there is one.

    `job` says what is to be done. Yields the job of the holder before, if that was killed, else "".
    Raises as `locked`. If `out` is a link, this is about the folder that it points to.
    """
    out = destination(out)
    _make(out.parent, out)
    with _held(lock_beside(out), out, doing, job=job) as before:
        sweep(out.parent)
        if not out.is_dir():
            yield before
            return
        with _held(out / LOCK, out, doing):
            yield before


def lock_beside(out: Path) -> Path:
    """Return the file that is locked while a folder is made or replaced.

    >>> lock_beside(Path("a/run")).as_posix()
    'a/.run.lock'
    """
    return out.with_name(f".{out.name}.lock")


def _make(folder: Path, out: Path) -> None:
    """Create a folder, or raise `StorageError` about `out`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _refused(out, error) from None


def _refused(out: Path, error: OSError) -> StorageError:
    return StorageError(f"{out}: cannot write ({error.strerror or error}); choose another --out")


@contextmanager
def _held(file: Path, out: Path, doing: str, *, job: str = "") -> Iterator[str]:
    """Hold the lock on a file about `out`, and remove the file afterwards.

    Its first line says who holds it and for what, its second line the job. Yields the job of the
    holder before.
    """
    with _taken(file, out) as stream:
        stream.seek(0)
        before = stream.read().partition("\n")[2]
        stream.truncate(0)
        now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        who = f"pid {os.getpid()} on host {socket.gethostname()} since {now}"
        stream.write(f"{who}; {doing}\n{job}")
        stream.flush()
        try:
            yield before
        finally:
            # A folder that was replaced took its lock with it; another one has this name now.
            if _is_at(stream, file):
                with suppress(OSError):
                    file.unlink()


def _taken(file: Path, out: Path) -> TextIO:
    """Open and lock a file, or raise `StorageError` that says who holds it."""
    while True:
        try:
            stream = file.open("a+", encoding="utf-8", errors="replace")
        except OSError as error:
            raise _refused(out, error) from None
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.seek(0)
            who, _, doing = stream.readline(300).strip().partition("; ")
            stream.close()
            who = f"pid {who}" if who.isdigit() else who  # as versions before 0.2 wrote it
            doing = doing or "works on it"  # which earlier versions did not write
            who = f" ({who})" if who else ""
            raise StorageError(f"{out}: another process {doing}{who}; wait for it") from None
        if _is_at(stream, file):
            return stream
        stream.close()  # its holder has just removed it


def _is_at(stream: TextIO, file: Path) -> bool:
    """Return whether an open file is still the one of this name."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), file.stat())
    except OSError:
        return False


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
