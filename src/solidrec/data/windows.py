"""Histories: the last items before an event, gathered from flat event arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from solidrec.arrays import AnyInts

_BLOCK = 1 << 20


def windows(
    event_items: AnyInts, starts: AnyInts, positions: AnyInts, length: int
) -> npt.NDArray[np.int32]:
    """Return the last `length` items before each event, oldest first, padded with 0 on the right.

    `starts` and `positions` (n,) are a user's first event and the event to look back from; the
    result is (n, length). The cost depends on n and `length`, not on the length of the histories.

    >>> windows(np.array([7, 8, 9, 4]), np.array([0, 0, 3]), np.array([0, 3, 3]), 2)
    array([[0, 0],
           [8, 9],
           [0, 0]], dtype=int32)
    """
    positions = np.asarray(positions, dtype=np.int64)
    valid = np.minimum(length, positions - np.asarray(starts, dtype=np.int64))
    step = np.arange(length, dtype=np.int64)
    index = (positions - valid)[:, None] + step  # event of each cell; padding is masked below
    if not len(event_items):
        return np.zeros(index.shape, dtype=np.int32)
    items = event_items[np.minimum(index, len(event_items) - 1)]
    return np.where(step < valid[:, None], items, 0).astype(np.int32)


def ranges(starts: AnyInts, ends: AnyInts) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the flat rows and values of all integers in ``range(starts[row], ends[row])``.

    >>> ranges(np.array([5, 9, 2]), np.array([7, 9, 3]))
    (array([0, 0, 2]), array([5, 6, 2]))
    """
    starts = np.asarray(starts, dtype=np.int64)
    lengths = np.maximum(np.asarray(ends, dtype=np.int64) - starts, 0)
    rows = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    # value = row start + place in the flat result - place of the row's first value
    values = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    values += np.arange(len(values), dtype=np.int64)
    return rows, values


def blocks(starts: AnyInts, ends: AnyInts, size: int = _BLOCK) -> Iterator[slice]:
    """Yield slices of rows whose ranges hold about `size` integers, plus at most the longest range.

    >>> list(blocks(np.array([0, 3, 6]), np.array([3, 5, 9]), size=4))
    [slice(0, 1, None), slice(1, 3, None)]
    """
    # integers up to each row; a block ends where they pass a multiple of `size`
    reach = np.cumsum(np.maximum(np.asarray(ends, dtype=np.int64) - starts, 0))
    total = int(reach[-1]) if len(reach) else 0
    cuts = np.unique(np.searchsorted(reach, np.arange(size, total, size), side="right")).tolist()
    for first, last in itertools.pairwise([0, *cuts, len(reach)]):
        if first < last:
            yield slice(first, last)
