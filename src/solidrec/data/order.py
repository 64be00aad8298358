"""Sort a log that nearly fills the memory by integer keys, stably, and find its repeats."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from solidrec.arrays import AnyInts


def lexical_order(*keys: AnyInts) -> AnyInts:
    """Return the stable order of the rows by integer `keys` (N,), the most significant first.

    The result is that of ``np.lexsort(keys[::-1])``, several times as fast: NumPy sorts plain
    64-bit integers with vector instructions, so keys are sorted in words that end with the row.

    >>> lexical_order(np.array([2, 1, 2, 1]), np.array([5, 9, 4, 9]))
    array([1, 3, 2, 0], dtype=uint32)
    """
    rows = len(keys[0])
    bits = rows.bit_length()
    order: AnyInts = np.arange(rows, dtype=np.uint32 if bits <= 32 else np.uint64)
    for key in reversed(keys):
        low, high = (int(key.min()), int(key.max())) if rows else (0, 0)
        # a wide key takes several passes, low digits first
        for shift in range(0, (high - low).bit_length(), 64 - bits):
            order = order[_digit_order(key[order], low, shift, bits)]
    return order


def _digit_order(key: AnyInts, low: int, shift: int, bits: int) -> npt.NDArray[np.uint64]:
    """Return the stable order by the low 64 - `bits` bits of ``(key - low) >> shift``."""
    word = key.astype(np.uint64)
    word -= np.uint64(low % 2**64)  # wraps around as it should
    word >>= np.uint64(shift)
    word <<= np.uint64(bits)  # drops the digits above this one and makes room for the row number
    word |= np.arange(len(key), dtype=np.uint64)
    word.sort()
    word &= np.uint64((1 << bits) - 1)  # keep only the row number
    return word


def repeats(group: npt.NDArray[np.bool_], key: AnyInts) -> npt.NDArray[np.bool_]:
    """Return a mask (N,) of rows whose `key` occurs earlier in the group; `group` marks its start.

    >>> repeats(np.array([True, False, False, False, True]), np.array([7, 8, 7, 9, 7]))
    array([False, False,  True, False, False])
    """
    found = np.zeros(len(key), dtype=bool)
    # only rows of groups of two and more can repeat; in most logs they are few
    tied = np.flatnonzero(~group | ~np.append(group[1:], True))
    if len(tied):
        # sort by group and key, then compare neighbours
        number, key = np.cumsum(group[tied], dtype=np.int64), key[tied]
        order = lexical_order(number, key)
        number, key = number[order], key[order]
        again = (number[1:] == number[:-1]) & (key[1:] == key[:-1])
        found[tied[order[1:][again]]] = True
    return found
