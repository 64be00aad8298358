"""Two scorers without a gradient, popularity and item-kNN: the floor that a trained model has to clear.

Both read the training events only, as prepared data holds them: `event_items` (N,) in 1..V, where user u's events are
``offsets[u]:offsets[u + 1]`` (user 0 is empty) and those up to the absolute ``train_end[u]`` are for training.
"""

from __future__ import annotations

from typing import Any, final

import numpy as np
import numpy.typing as npt

from solidrec.data.windows import ranges
from solidrec.errors import UsageError

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PAIRS = 1 << 21  # of (row, item) expanded at a time: some 100 MB while they are counted
KEEP_ALL = 5_000  # items up to which every neighbour is kept by default
KEEP = 200  # neighbours an item keeps by default in a larger catalogue


def train_pairs(event_items: Array, offsets: Array, train_end: Array) -> tuple[Ints, Ints]:
    """Return user and item (M,) of every training event, in the order of the events.

    >>> users, items = train_pairs(np.array([5, 6, 7, 5]), np.array([0, 0, 3, 4]), np.array([0, 2, 4]))
    >>> users.tolist(), items.tolist()
    ([1, 1, 2], [5, 6, 5])
    """
    users, positions = ranges(offsets[:-1], train_end)
    return users, event_items[positions].astype(np.int64)


def popularity(counts: Array, candidates: Array) -> Floats:
    """Score each candidate (R, C) by its number of training events `counts` (V + 1,); returns (R, C).

    >>> popularity(np.array([0, 5, 2]), np.array([[2, 1, 0]])).tolist()
    [[2.0, 5.0, 0.0]]
    """
    return np.asarray(counts, dtype=np.float64)[candidates]


@final
class ItemKNN:
    """Item-based nearest neighbours: a candidate scores the sum of its cosine similarities to the history's items.

    The vector of an item holds a 1 for each user with a training event on it, so repeats count once. An item is not its own
    neighbour. Each item keeps its `neighbours` most similar ones (ties: the smaller id first); by default all of them in a
    catalogue of up to 5,000 items and 200 beyond. Fitting takes time in the sum of the squared lengths of the users'
    sequences and memory in their length and the neighbours that are kept.

    >>> # users 1 and 2 saw items 1 and 2; user 3 saw items 2 and 3
    >>> knn = ItemKNN(np.array([1, 2, 2, 1, 2, 3]), np.array([0, 0, 2, 4, 6]), np.array([0, 2, 4, 6]), items=3)
    >>> knn.score(np.array([[0, 1]]), np.array([[2, 3, 0]])).round(3).tolist()
    [[0.816, 0.0, 0.0]]
    """

    def __init__(
        self, event_items: Array, offsets: Array, train_end: Array, *, items: int, neighbours: int | None = None
    ) -> None:
        if neighbours is not None and neighbours < 1:
            raise UsageError(f"neighbours = {neighbours}; item-kNN needs 1 or more, or None for its default")
        keep = neighbours or (items if items <= KEEP_ALL else KEEP)
        self.items = items
        users, events = train_pairs(event_items, offsets, train_end)
        self._starts, self._neighbours, self._similarity = _fit(users, events, items=items, keep=keep)

    def score(self, histories: Array, candidates: Array) -> Floats:
        """Score `candidates` (R, C) by the items of `histories` (R, L), both with 0 for padding; returns (R, C).

        An empty history and an unseen candidate score 0.
        """
        lengths = np.diff(self._starts)[histories]  # padding has no neighbours
        cost = np.maximum(lengths.sum(1), self.items + 1)
        parts = [self._score(histories[some], candidates[some]) for some in _blocks(cost)]
        return np.concatenate(parts) if parts else np.zeros(candidates.shape)

    def _score(self, histories: Array, candidates: Array) -> Floats:
        width = self.items + 1
        flat = histories.ravel().astype(np.int64)
        starts, lengths = self._starts[flat], self._starts[flat + 1] - self._starts[flat]
        found = ranges(starts, starts + lengths)[1]
        cells = np.repeat(np.arange(len(flat)) // histories.shape[1] * width, lengths) + self._neighbours[found]
        sums = np.bincount(cells, weights=self._similarity[found], minlength=len(histories) * width)
        scores = sums.astype(np.float64).reshape(-1, width)  # of nothing at all bincount makes integers
        return np.asarray(scores[np.arange(len(candidates))[:, None], candidates])


def _fit(users: Ints, events: Ints, *, items: int, keep: int) -> tuple[Array, Array, Array]:
    """Return the neighbours of all items as rows of a sparse matrix: (V + 2,) row starts, neighbour ids, similarities."""
    width = items + 1
    by_user = np.unique(users * width + events)  # one pair for a user and an item, users in order
    users, bought = by_user // width, by_user % width
    sizes = np.bincount(users, minlength=1)
    starts = np.cumsum(sizes) - sizes
    owners, ends = users[np.argsort(bought, kind="stable")], np.cumsum(np.bincount(bought, minlength=width))
    counts = np.diff(ends, prepend=0)
    cost = np.bincount(bought, weights=sizes[users], minlength=width)
    parts = []
    for some in _blocks(cost):
        readers = owners[ends[some.start] - counts[some.start] : ends[some.stop - 1]]
        item = np.repeat(np.arange(some.start, some.stop), counts[some])
        pairs = np.repeat(item * width, sizes[readers]) + bought[ranges(starts[readers], starts[readers] + sizes[readers])[1]]
        keys, shared = np.unique(pairs, return_counts=True)
        a, b = keys // width, keys % width
        parts.append(_nearest(a, b, shared / np.sqrt(counts[a] * counts[b]), keep=keep))
    rows, neighbours, similarity = (np.concatenate(each) for each in zip(*parts, strict=True))
    return np.append(0, np.cumsum(np.bincount(rows, minlength=width))), neighbours, similarity


def _nearest(rows: Array, columns: Array, similarity: Array, *, keep: int) -> tuple[Array, Array, Array]:
    """Keep each row's `keep` most similar columns other than itself; rows come sorted and stay so."""
    other = rows != columns
    rows, columns, similarity = rows[other], columns[other], similarity[other]
    order = np.lexsort((columns, -similarity, rows))
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    order = order[place < keep]
    return rows[order].astype(np.int32), columns[order].astype(np.int32), similarity[order].astype(np.float32)


def _blocks(cost: Array) -> list[slice]:
    """Cut consecutive rows into slices that cost up to `PAIRS` each, or hold one row."""
    slices, start, spent = [], 0, 0
    for row, price in enumerate(cost.tolist()):
        if spent + price > PAIRS and row > start:
            slices.append(slice(start, row))
            start, spent = row, 0
        spent += price
    return [*slices, slice(start, len(cost))] if len(cost) else []
