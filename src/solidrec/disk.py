"""Files and folders that are whole or absent: written beside their place, synced and renamed."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, ENOSPC
from pathlib import Path

from solidrec.errors import StorageError
from solidrec.temporaries import destination, sweep, temporary

AT_CWD, RENAME_EXCHANGE = -100, 2  # constants of renameat2(2)
_FULL = (ENOSPC, EDQUOT)


def write_file(path: Path, write: Callable[[Path], object], *, size: int = 0) -> None:
    """Let `write` fill a temporary file beside `path`, then sync it and rename it to `path`.

    `size` is how many bytes it needs at least, where that is known. Raises `StorageError` if that
    fails (disk full, read-only, not a folder).
    """
    half = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        need_space(path, size)
        half.touch()
        mode = half.stat().st_mode
        write(half)
        half.chmod(mode)  # some writers make a file that nobody else may read
        with half.open("rb") as stream:
            os.fsync(stream.fileno())
        os.replace(half, path)
        sync_folder(path.parent)
    except OSError as error:
        raise refused(path, error, size=max(size, _size(half))) from error
    finally:
        with suppress(OSError):
            half.unlink(missing_ok=True)


@contextmanager
def new_folder(final: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that is renamed to `final` if the block ends without an error.

    Raises `StorageError` if `final` exists, unless `replace` is set. If `final` is a link, the
    folder that it points to is replaced.
    """
    final = destination(final)
    _check_free(final, replace=replace)
    half = temporary(final)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        sweep(final.parent)
        half.mkdir()
    except OSError as error:
        raise StorageError(
            f"{final}: cannot write ({error.strerror or error}); choose another --out"
        ) from error
    try:
        yield half
        sync_folder(half)
        _check_free(final, replace=replace)  # another process may have made it meanwhile
        _put(half, final)
        sync_folder(final.parent)
    except OSError as error:
        raise refused(final, error) from error
    except StorageError as error:  # nobody knows the temporary folder
        raise StorageError(str(error).replace(str(half), str(final))) from error
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _check_free(final: Path, *, replace: bool) -> None:
    """Raise `StorageError` if `final` is a file, or exists and is not to be replaced."""
    if final.exists() and not final.is_dir():
        raise StorageError(f"{final}: is a file; choose another --out")
    if final.exists() and not replace:
        raise StorageError(f"{final}: exists already; remove it or choose another --out")


def _put(half: Path, final: Path) -> None:
    """Give a finished folder its name; what had the name before is gone or in its place."""
    if not final.exists():
        os.replace(half, final)
    elif not _exchange(half, final):
        retired = temporary(final, old=True)
        os.replace(final, retired)
        os.replace(half, final)
        shutil.rmtree(retired)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two paths of one file system in one step, so that neither is ever missing.

    Returns False where that is not possible; only Linux has the call (renameat2, since 3.15).
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    return bool(rename(AT_CWD, os.fsencode(one), AT_CWD, os.fsencode(other), RENAME_EXCHANGE) == 0)


def replace_folder(new: Path, final: Path) -> None:
    """Put a finished folder in the place of another one, which is removed.

    Raises `StorageError` if that fails.
    """
    try:
        sync_folder(new)
        _put(new, final)
        sync_folder(final.parent)
    except OSError as error:
        raise refused(final, error) from error
    # After an exchange, what was replaced has the name of the new one.
    shutil.rmtree(new, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder outlast a loss of power, where its file system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def check_writable(path: Path) -> None:
    """Raise `StorageError` if no file can be written to `path`, after trying it beside it."""
    if path.is_dir():
        raise StorageError(f"{path}: is a folder, a file is needed; choose another --out")
    half = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half.touch()
        half.unlink()
    except OSError as error:
        raise refused(path, error) from None


def need_space(path: Path, size: int) -> None:
    """Raise `StorageError` unless the disk that `path` is to be written to has `size` bytes free.

    >>> need_space(Path("."), 0)
    >>> need_space(Path("."), 10**18)
    Traceback (most recent call last):
    solidrec.errors.StorageError: .: cannot write (No space left on device: ...
    """
    if size and (free := _free(path)) < size:
        raise StorageError(_full(path, size, free))


def refused(path: Path, error: OSError, *, size: int = 0) -> StorageError:
    """Return what to say when the disk refuses `path`, of which `size` bytes are known."""
    if error.errno in _FULL:
        return StorageError(_full(path, size, _free(path)))
    return StorageError(
        f"{path}: cannot write ({error.strerror or error}); free space or choose another --out"
    )


def _full(path: Path, size: int, free: int) -> str:
    needed = f"{size:,} B are needed, " if size else ""
    return (
        f"{path}: cannot write (No space left on device: {needed}{free:,} B are free); free space "
        "or choose another --out"
    )


def _free(path: Path) -> int:
    """Return the free bytes of the disk that holds `path`, which need not exist yet."""
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    return shutil.disk_usage(there).free


def _size(path: Path) -> int:
    """Return the size of a file, 0 if there is none."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
