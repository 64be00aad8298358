"""V-SKNN: scores from the nearest training sequences.

Ludewig and Jannach, Evaluation of session-based recommendation algorithms, UMUAI 2018. The factor 1
/ s below is that of the authors' later framework, session-rec (its ``weighting_score="div"``).
"""

from __future__ import annotations

from typing import final

import numpy as np

from solidrec.arrays import Array
from solidrec.data.windows import ranges
from solidrec.errors import UsageError
from solidrec.evaluate.item_knn import blocks, train_pairs
from solidrec.inference.scorer import slices

_CELLS = 1 << 23
"""Pairs at a time of a history's item and a user who had it."""


@final
class SessionKNN:
    """Score a candidate by the summed similarity of the nearest training sequences that contain it.

    A history's items weigh linearly by place: of n, the newest weighs 1, the one before
    (n - 1) / n. A training sequence is as similar as the sum of the weights of the shared items. Of
    the `sample` users of the latest training events that share an item, the `neighbours` most
    similar count, each times 1 / s, where s counts back to the newest shared item (1 for the last).
    A user's own training sequence is among them. Raises `UsageError` if `neighbours` or `sample` is
    below 1.

    >>> # user 1 had items 1 and 2, user 2 items 2 and 3; the history ends with 2
    >>> items, offsets, ends = np.array([1, 2, 2, 3]), np.array([0, 0, 2, 4]), np.array([0, 2, 4])
    >>> sessions = SessionKNN(items, offsets, ends, times=np.arange(4), items=3)
    >>> sessions.score(np.array([[1, 2]]), np.array([[1, 2, 3]])).tolist()
    [[1.5, 2.5, 1.0]]
    """

    def __init__(
        self,
        event_items: Array,
        offsets: Array,
        train_end: Array,
        *,
        times: Array,
        items: int,
        neighbours: int = 100,
        sample: int = 1_000,
    ) -> None:
        if neighbours < 1 or sample < 1:
            raise UsageError(
                f"neighbours = {neighbours}, sample = {sample}; V-SKNN needs 1 or more of each"
            )
        users, events = train_pairs(event_items, offsets, train_end)
        self.width, self.users = items + 1, len(train_end)
        self.neighbours, self.sample = neighbours, sample
        pairs = np.unique(users * self.width + events)  # each (user, item) once, users in order
        self.items_of, self.starts = (  # the items of user u: starts[u] to starts[u + 1]
            pairs % self.width,
            np.searchsorted(pairs, np.arange(self.users + 1) * self.width),
        )
        order = np.argsort(self.items_of, kind="stable")
        self.users_of = (pairs // self.width)[order]  # of item i: begins[i] to begins[i + 1]
        self.begins = np.searchsorted(self.items_of[order], np.arange(self.width + 1))
        # time of each user's last training event; users without one are never neighbours
        self.latest = np.append(times, 0)[np.maximum(train_end - 1, -1)]

    def score(self, histories: Array, candidates: Array) -> Array:
        """Score `candidates` (R or 1, C) for `histories` (R, L), both 0-padded; return (R, C)."""
        parts = [np.zeros((0, candidates.shape[1]))]
        cost = np.diff(self.begins)[histories].sum(1) + self.width
        for some in slices(len(histories), max(1, _CELLS // max(int(cost.max(initial=1)), 1))):
            own = candidates if len(candidates) == 1 else candidates[some]
            parts.append(self.block(histories[some], own))
        return np.concatenate(parts)

    def block(self, histories: Array, candidates: Array) -> Array:
        """Score a block of histories, split so that their neighbours' sequences fit in memory."""
        row, user, weight = self.nearest(histories)
        lengths = self.starts[user + 1] - self.starts[user]
        found = np.zeros((len(histories), candidates.shape[1]))
        cost = np.bincount(row, weights=lengths, minlength=len(histories)).astype(np.int64)
        for some in blocks(cost + self.width):
            # all items of the neighbours of these histories, weighted into (history, item) cells
            mine = slice(*np.searchsorted(row, (some.start, some.stop)))
            which, place = ranges(self.starts[user[mine]], self.starts[user[mine] + 1])
            cell = (row[mine][which] - some.start) * self.width + self.items_of[place]
            rows = some.stop - some.start
            sums = np.bincount(cell, weights=weight[mine][which], minlength=rows * self.width)
            scores = sums.astype(np.float64).reshape(rows, self.width)
            own = candidates if len(candidates) == 1 else candidates[some]
            found[some] = scores[np.arange(rows)[:, None], own]
        return found

    def nearest(self, histories: Array) -> tuple[Array, Array, Array]:
        """Return the neighbours of each history: row, user and weight, (n,) each."""
        rows, places = np.nonzero(histories)
        items = histories[rows, places].astype(np.int64)
        count = (histories > 0).sum(1)
        places = np.arange(len(rows)) - np.searchsorted(rows, rows)  # padding is not counted
        # a repeated item keeps its newest place only
        newest = len(rows) - 1 - np.unique((rows * self.width + items)[::-1], return_index=True)[1]
        rows, places, items = rows[newest], places[newest], items[newest]
        # every user who had one of the items, as one number for (history, user)
        which, at = ranges(self.begins[items], self.begins[items + 1])
        pair = rows[which] * self.users + self.users_of[at]
        order = np.argsort(pair, kind="stable")  # by row, then user
        pair, place = pair[order], places[which[order]]
        first = np.flatnonzero(np.append(True, pair[1:] != pair[:-1])[: len(pair)])
        row, user = pair[first] // self.users, pair[first] % self.users
        similar, last = place + 1, place  # integers until the end, so that ties are exact
        if len(pair):
            similar, last = np.add.reduceat(similar, first), np.maximum.reduceat(last, first)
        kept = _largest(row, self.latest[user], self.sample)
        row, user, similar, last = row[kept], user[kept], similar[kept], last[kept]
        kept = _largest(row, similar, self.neighbours)
        row, user, similar, last = row[kept], user[kept], similar[kept], last[kept]
        return row, user, similar / count[row] / (count[row] - last)


def _largest(row: Array, key: Array, most: int) -> Array:
    """Return the places of each row's `most` largest keys, for sorted rows; ties go to the first.

    >>> _largest(np.array([0, 0, 0, 2]), np.array([5, 7, 7, 1]), 2).tolist()
    [1, 2, 3]
    """
    order = np.lexsort((-key, row))
    place = np.arange(len(row)) - np.searchsorted(row, row)  # rank within the row
    return np.asarray(np.sort(order[place < most]))
