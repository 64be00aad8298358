"""The plan of an epoch, as arrays: which targets each pass over a history serves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Ints


class Passes(NamedTuple):
    """Passes over histories: each reads the items ``start:end`` and serves some targets.

    Each of the last ``targets`` items of a pass predicts the item after it. ``users`` (W,);
    ``start`` and ``end`` (W,) are absolute event positions, so the last target is the event at
    ``end``.
    """

    users: npt.NDArray[np.int32]
    start: Ints
    end: Ints
    targets: npt.NDArray[np.int32]

    def take(self, rows: Ints) -> Passes:
        """Return some of the passes."""
        return Passes(self.users[rows], self.start[rows], self.end[rows], self.targets[rows])


def target_counts(begin: Ints, end: Ints) -> Ints:
    """Return the number of training targets of each user (U,): all events but the first."""
    return np.asarray(np.maximum(end - begin - 1, 0), dtype=np.int64)


def passes(begin: Ints, end: Ints, *, length: int, stride: int, phase: Ints) -> Passes:
    """Return passes that together serve every training target once.

    The targets of user u are the events ``begin[u] + 1:end[u]``. The first pass of a user reads the
    first `length` items and serves all their next items, exactly as windows that end before each of
    those targets would. Every later pass reads `length` items and serves at most the last `stride`
    of their next items, so that such a target has at least ``length - stride + 1`` of its latest
    items before it; with stride 1 every target has its full window. `phase` (U,), in 0..stride - 1,
    shortens a user's second pass, so that a target has a different number of items before it in
    each epoch.

    >>> plan = passes(np.array([0]), np.array([9]), length=4, stride=4, phase=np.array([2]))
    >>> [(int(s), int(e), int(t)) for s, e, t in zip(plan.start, plan.end, plan.targets)]
    [(0, 4, 4), (2, 6, 2), (4, 8, 2)]
    """
    count = target_counts(begin, end)
    # Only users with a target have passes; the next arrays have one entry for each such user.
    users = np.flatnonzero(count)
    # Targets of the first pass, and those left for the passes after it.
    first = np.minimum(count[users], length)
    rest = count[users] - first
    # Targets of the second pass: `stride` less the phase, but no more than are left.
    short = np.minimum(np.where(rest > 0, stride - phase[users], 0), rest)
    # The number of further passes, with `stride` targets each, and of all passes of a user.
    more = -(-(rest - short) // stride)
    each = 1 + (short > 0) + more
    # From here on one entry per pass: the index of its user in `users`, and its number (from 0)
    # among that user's passes.
    row = np.repeat(np.arange(len(users)), each)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
    # The number of the user's targets that are served with this pass; the last pass may be shorter.
    reached = np.where(nth == 0, first[row], first[row] + short[row] + (nth - 1) * stride)
    reached = np.minimum(reached, count[users][row])
    # The number of the user's targets that are served before this pass.
    before = np.where(
        nth == 0, 0, np.where(nth == 1, first[row], first[row] + short[row] + (nth - 2) * stride)
    )
    # Target n of a user (from 1) is event `base + n`. A pass ends at its last target and reads at
    # most `length` events before it.
    base = begin[users][row]
    stop = base + reached
    return Passes(
        users[row].astype(np.int32),
        np.maximum(base, stop - length),
        stop,
        (reached - before).astype(np.int32),
    )


def single_passes(begin: Ints, end: Ints, *, length: int) -> Passes:
    """Return one pass per target, over its window of at most `length` items.

    >>> plan = single_passes(np.array([0]), np.array([4]), length=2)
    >>> [(int(s), int(e), int(t)) for s, e, t in zip(plan.start, plan.end, plan.targets)]
    [(0, 1, 1), (0, 2, 1), (1, 3, 1)]
    """
    count = target_counts(begin, end)
    users = np.repeat(np.arange(len(count)), count)
    # The event of each target: the user's first event, plus 1, plus the target's number (from 0).
    stop = begin[users] + 1 + np.arange(len(users)) - np.repeat(np.cumsum(count) - count, count)
    return Passes(
        users.astype(np.int32),
        np.maximum(begin[users], stop - length),
        stop,
        np.ones(len(users), dtype=np.int32),
    )
