"""Negative items: fresh ones in training, fixed ones for validation and test.

Both are drawn uniformly from the items that a user has *not* touched, and no draw is rejected:
the unseen items of a user are numbered by rank, a rank is drawn, and one `searchsorted` turns it
into the item.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import final

import numpy as np
import numpy.typing as npt

from solidrec.arrays import AnyInts as Integers
from solidrec.data.windows import blocks, ranges

Items = npt.NDArray[np.int32]

_CHUNK = 1 << 11
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@final
class Unseen:
    """The items of 1..V that each user has no event with, addressed by rank.

    The events of user u are ``items[starts[u]:ends[u]]``; `starts` and `ends` are (U+1,). `free`
    (U+1,) is the number of unseen items of each user.

    >>> unseen = Unseen(np.array([2, 4]), np.array([0, 0]), np.array([0, 2]), n_items=5)
    >>> unseen.free[1], unseen.pick(np.array([1, 1, 1]), np.array([0, 1, 2]))
    (np.int64(3), array([1, 3, 5], dtype=int32))
    """

    def __init__(self, items: Integers, starts: Integers, ends: Integers, *, n_items: int) -> None:
        self.n_items = n_items
        self._stride = n_items + 1
        count = np.zeros(len(starts), dtype=np.int64)
        self._keys = np.empty(int(np.maximum(ends - starts, 0).sum()), dtype=np.int64)
        filled = 0
        for block in blocks(starts, ends):
            # sort one key (user, item) for each event, and drop repeats
            row, position = ranges(starts[block], ends[block])
            key = (row + block.start) * self._stride + items[position]
            key.sort()
            key = key[np.append(True, key[1:] != key[:-1])[: len(key)]]
            # count the distinct items of each user
            owner = key // self._stride - block.start
            count[block] = np.bincount(owner, minlength=block.stop - block.start)
            # replace the item in each key by the number of unseen items below it
            first = np.cumsum(count[block]) - count[block]
            self._keys[filled : filled + len(key)] = key - 1 - (np.arange(len(key)) - first[owner])
            filled += len(key)
        self._keys = self._keys[:filled]
        self._start = np.cumsum(count) - count
        self.free: npt.NDArray[np.int64] = n_items - count

    def pick(self, users: Integers, ranks: Integers) -> Items:
        """Return the unseen item with each 0-based rank; `users` broadcasts against `ranks`."""
        users = np.asarray(users, dtype=np.int64)
        # seen items with at most `ranks` unseen items below them lie below the picked item
        seen_below = (
            np.searchsorted(self._keys, users * self._stride + ranks, side="right")
            - self._start[users]
        )
        return np.asarray(1 + ranks + seen_below, dtype=np.int32)


@final
class TrainingNegatives:
    """Sampler of items, uniform over 1..V without the user's *training* items (as in `unseen`).

    Held-out items can be drawn: leaving them out would tell the model which they are. A user who
    has trained on the whole catalogue has no negative left and gets uniform draws from all of it.
    """

    def __init__(self, unseen: Unseen) -> None:
        self._unseen = unseen

    def draw(self, users: Integers, count: int, rng: np.random.Generator) -> Items:
        """Return (n, count) independent items for (n,) users; all randomness comes from `rng`."""
        users = np.asarray(users, dtype=np.int64)[:, None]
        free = self._unseen.free[users]
        full = free == 0
        ranks = rng.integers(
            0, np.where(full, self._unseen.n_items, free), size=(len(users), count)
        )
        if not full.any():
            return self._unseen.pick(users, ranks)
        return np.where(full, ranks + 1, self._unseen.pick(users, np.where(full, 0, ranks))).astype(
            np.int32
        )


def fixed_negatives(
    unseen: Unseen, users: Integers, ids: Sequence[str], *, count: int, seed: int, salt: str = ""
) -> Items:
    """Return (n, count) distinct unseen items for (n,) users, fixed by (seed, salt, user id) alone.

    `ids` are the users' external ids, so adding or removing other users changes nothing. `count`
    must not exceed ``unseen.free[users].min()``.
    """
    out = np.empty((len(users), count), dtype=np.int32)
    for start in range(0, len(users), _CHUNK):
        rows = slice(start, start + _CHUNK)
        chunk = np.asarray(users[rows], dtype=np.int64)
        ranks = _distinct(_keys(ids[rows], seed, salt), unseen.free[chunk], count)
        out[rows] = unseen.pick(chunk[:, None], ranks)
    return out


def _keys(ids: Sequence[str], seed: int, salt: str) -> npt.NDArray[np.uint64]:
    prefix = f"{seed}\0{salt}\0"
    digests = (hashlib.blake2b((prefix + name).encode(), digest_size=8).digest() for name in ids)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _distinct(keys: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64], count: int) -> Items:
    """Draw (n, count) distinct numbers below each size, uniformly, with Floyd's algorithm."""
    chosen = np.empty((count, len(keys)), dtype=np.int32)
    for column in range(count):
        # draw from 0..last; a number that is taken already is replaced by `last`
        last = sizes - count + column
        draw = (_splitmix(keys, column) % (last + 1).astype(np.uint64)).astype(np.int32)
        taken = (chosen[:column] == draw).any(axis=0)
        chosen[column] = np.where(taken, last, draw)
    return chosen.T


def _splitmix(keys: npt.NDArray[np.uint64], step: int) -> npt.NDArray[np.uint64]:
    """Return output number `step` of SplitMix64 seeded with each key (uint64 wraps around)."""
    z = keys + _GOLDEN * np.array([step + 1], dtype=np.uint64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), dtype=np.uint64)
