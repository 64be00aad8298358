"""Which targets one pass over a history serves: the plan of an epoch, as arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Ints


class Passes(NamedTuple):
    """Passes over histories: the items ``start:end`` are read, and each of the last ``targets`` of them predicts the next.

    ``users`` (W,); ``start`` and ``end`` (W,) are absolute event positions, so the last target is the event at ``end``.
    """

    users: npt.NDArray[np.int32]
    start: Ints
    end: Ints
    targets: npt.NDArray[np.int32]

    def take(self, rows: Ints) -> Passes:
        """Return some of the passes."""
        return Passes(self.users[rows], self.start[rows], self.end[rows], self.targets[rows])


def target_counts(begin: Ints, end: Ints) -> Ints:
    """Return how many training targets each user has (U,): every event but the first."""
    return np.asarray(np.maximum(end - begin - 1, 0), dtype=np.int64)


def passes(begin: Ints, end: Ints, *, length: int, stride: int, phase: Ints) -> Passes:
    """Cover every training target once: each event of user u in ``begin[u] + 1:end[u]`` is some pass's target.

    A user's first pass reads the first `length` items and serves all their next items: exactly what windows that end
    before each of those targets would say. Every later pass reads `length` items and serves its last `stride` (at most)
    next items, so that such a target has at least ``length - stride + 1`` of its latest items before it; stride 1 is the
    full window of every target. `phase` (U,), in 0..stride - 1, shortens a user's second pass, so that a target meets
    another number of items in another epoch.

    >>> plan = passes(np.array([0]), np.array([9]), length=4, stride=4, phase=np.array([2]))
    >>> [(int(s), int(e), int(t)) for s, e, t in zip(plan.start, plan.end, plan.targets)]
    [(0, 4, 4), (2, 6, 2), (4, 8, 2)]
    """
    count = target_counts(begin, end)
    users = np.flatnonzero(count)
    first = np.minimum(count[users], length)
    rest = count[users] - first
    short = np.minimum(
        np.where(rest > 0, stride - phase[users], 0), rest
    )  # targets of the second pass
    more = -(-(rest - short) // stride)
    each = 1 + (short > 0) + more
    row = np.repeat(np.arange(len(users)), each)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    reached = np.where(nth == 0, first[row], first[row] + short[row] + (nth - 1) * stride)
    reached = np.minimum(reached, count[users][row])
    before = np.where(
        nth == 0, 0, np.where(nth == 1, first[row], first[row] + short[row] + (nth - 2) * stride)
    )
    base = begin[users][row]
    stop = base + reached
    return Passes(
        users[row].astype(np.int32),
        np.maximum(base, stop - length),
        stop,
        (reached - before).astype(np.int32),
    )


def single_passes(begin: Ints, end: Ints, *, length: int) -> Passes:
    """Return one pass a target, over its window of at most `length` items.

    >>> plan = single_passes(np.array([0]), np.array([4]), length=2)
    >>> [(int(s), int(e), int(t)) for s, e, t in zip(plan.start, plan.end, plan.targets)]
    [(0, 1, 1), (0, 2, 1), (1, 3, 1)]
    """
    count = target_counts(begin, end)
    users = np.repeat(np.arange(len(count)), count)
    stop = begin[users] + 1 + np.arange(len(users)) - np.repeat(np.cumsum(count) - count, count)
    return Passes(
        users.astype(np.int32),
        np.maximum(begin[users], stop - length),
        stop,
        np.ones(len(users), dtype=np.int32),
    )
