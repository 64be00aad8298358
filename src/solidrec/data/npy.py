"""Read .npy files that anybody may have written; what is no plain array is refused in our words."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np
from numpy.lib import format as npy

from solidrec.arrays import Array
from solidrec.errors import DataError, StorageError

_CURE = "save a numeric array with numpy.save"
# the third version only adds field names in UTF-8, which numbers have no use for
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def map_npy(path: Path) -> Array:
    """Return the array of a .npy file, mapped into memory; nothing in the file is ever run.

    An empty array is read instead.

    Raises `DataError` for any other file, one that is cut off, and one of Python objects, and
    `StorageError` if it cannot be read.
    """
    try:
        with path.open("rb") as stream, warnings.catch_warnings(action="ignore"):
            reason = _fault(stream, path.stat().st_size)
            if reason is None:
                empty = stream.tell() == path.stat().st_size  # which cannot be mapped
                mode: Literal["r"] | None = None if empty else "r"
                return np.asarray(np.load(path, mmap_mode=mode, allow_pickle=False))
    except OSError as error:
        raise StorageError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception:  # a hostile header makes the parsers beneath raise errors of any kind
        reason = "its header is damaged"
    raise DataError(f"{path}: is not a plain .npy array ({reason}); {_CURE}")


def _fault(stream: BinaryIO, size: int) -> str | None:
    """Return what is wrong with the header of a file of `size` bytes, None if nothing is seen."""
    if stream.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
        return "it does not begin like one"
    stream.seek(0)
    read_header = _HEADERS.get(npy.read_magic(stream))
    if read_header is None:
        return "of an unknown version"
    shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        return "it holds Python objects"
    if min(shape, default=0) < 0:
        return "its header is damaged"
    needed, there = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if needed > there:
        return f"it is cut off, or its header promises more than the {there:,} bytes that follow"
    return None
