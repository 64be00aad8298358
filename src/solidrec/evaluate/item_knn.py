"""Baselines that count from item to item: nearest neighbours and a first-order Markov chain.

All read the training events only, as prepared data holds them: `event_items` (N,) in 1..V, where
user u's events are ``offsets[u]:offsets[u + 1]`` (user 0 is empty) and those before the absolute
``train_end[u]`` are for training.
"""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np

from solidrec.arrays import Array, Floats, Ints
from solidrec.data.windows import ranges
from solidrec.errors import UsageError

_PAIRS = 1 << 21  # (row, item) pairs expanded at a time: some 100 MB while they are counted
_KEEP_ALL = 5_000  # largest catalogue in which every neighbour is kept by default
_KEEP = 200  # neighbours an item keeps by default in a larger catalogue


def train_pairs(event_items: Array, offsets: Array, train_end: Array) -> tuple[Ints, Ints]:
    """Return user and item (M,) of every training event, in the order of the events.

    >>> offsets, ends = np.array([0, 0, 3, 4]), np.array([0, 2, 4])
    >>> users, items = train_pairs(np.array([5, 6, 7, 5]), offsets, ends)
    >>> users.tolist(), items.tolist()
    ([1, 1, 2], [5, 6, 5])
    """
    users, positions = ranges(offsets[:-1], train_end)
    return users, event_items[positions].astype(np.int64)


@final
class ItemKNN:
    """Item-based kNN: a candidate scores the sum of its cosine similarities to the history's items.

    The vector of an item holds a 1 for each user with a training event on it, so repeats count
    once. An item is not its own neighbour. Each item keeps its `neighbours` most similar ones
    (ties: the smaller id first); by default all of them in a catalogue of up to 5,000 items and 200
    beyond. Fitting takes time in the sum of the squared sequence lengths and memory in the lengths
    and the neighbours that are kept.

    >>> # users 1 and 2 saw items 1 and 2; user 3 saw items 2 and 3
    >>> offsets, ends = np.array([0, 0, 2, 4, 6]), np.array([0, 2, 4, 6])
    >>> knn = ItemKNN(np.array([1, 2, 2, 1, 2, 3]), offsets, ends, items=3)
    >>> knn.score(np.array([[0, 1]]), np.array([[2, 3, 0]])).round(3).tolist()
    [[0.816, 0.0, 0.0]]
    """

    def __init__(
        self,
        event_items: Array,
        offsets: Array,
        train_end: Array,
        *,
        items: int,
        neighbours: int | None = None,
    ) -> None:
        if neighbours is not None and neighbours < 1:
            raise UsageError(
                f"neighbours = {neighbours}; item-kNN needs 1 or more, or None for its default"
            )
        keep = neighbours or (items if items <= _KEEP_ALL else _KEEP)
        users, events = train_pairs(event_items, offsets, train_end)
        self.similar = _fit(users, events, items=items, keep=keep)

    def score(self, histories: Array, candidates: Array) -> Floats:
        """Score `candidates` (R or 1, C) for `histories` (R, L), both 0-padded; return (R, C).

        An empty history and an unseen candidate score 0.
        """
        return self.similar.summed(histories, candidates)


@final
class Markov:
    """First-order Markov chain: a candidate scores how often it followed the history's last item.

    Only the last item is read. A candidate that never followed it in training scores 0, and so does
    every candidate after an empty history or an item that nothing followed. Nothing breaks these
    ties; the metrics take them by expectation.

    >>> # user 1 saw 1, 2, 1, 2 and user 2 saw 1, 3; item 2 is the last of the history
    >>> offsets, ends = np.array([0, 0, 4, 6]), np.array([0, 4, 6])
    >>> chain = Markov(np.array([1, 2, 1, 2, 1, 3]), offsets, ends, items=3)
    >>> chain.score(np.array([[2, 1, 0]]), np.array([[1, 2, 3]])).tolist()
    [[0.0, 2.0, 1.0]]
    """

    def __init__(self, event_items: Array, offsets: Array, train_end: Array, *, items: int) -> None:
        users, events = train_pairs(event_items, offsets, train_end)
        same = users[1:] == users[:-1]  # steps from one event of a user to the next
        width = items + 1
        # an (item, follower) pair as one number, counted
        steps, counts = np.unique(events[:-1][same] * width + events[1:][same], return_counts=True)
        self.followers = ItemToItem.of(steps // width, steps % width, counts, items=items)

    def score(self, histories: Array, candidates: Array) -> Floats:
        """Score `candidates` (R or 1, C) for `histories` (R, L), both 0-padded; return (R, C)."""
        return self.followers.summed(_last_items(histories)[:, None], candidates)


def _last_items(histories: Array) -> Array:
    """Return the last item (R,) of `histories` (R, L), 0 for an empty one.

    >>> _last_items(np.array([[4, 7, 0], [0, 0, 0]])).tolist()
    [7, 0]
    """
    # place of the last item, counted from 1; place 0 is a column of padding for empty histories
    places = np.where(histories > 0, np.arange(1, histories.shape[1] + 1), 0).max(1, initial=0)
    return np.asarray(np.pad(histories, ((0, 0), (1, 0)))[np.arange(len(histories)), places])


class ItemToItem(NamedTuple):
    """Sparse matrix over items: row ``starts`` (V + 2,), then ``columns`` and ``values`` by row."""

    starts: Ints
    columns: Array
    values: Array

    @classmethod
    def of(cls, rows: Ints, columns: Array, values: Array, *, items: int) -> ItemToItem:
        """Make a matrix of entries that are sorted by row."""
        return cls(np.append(0, np.cumsum(np.bincount(rows, minlength=items + 1))), columns, values)

    def summed(self, histories: Array, candidates: Array) -> Floats:
        """Return the sum of each history's rows (R, L) at `candidates` (R or 1, C), as (R, C)."""
        candidates = np.broadcast_to(candidates, (len(histories), candidates.shape[1]))
        width = len(self.starts) - 1
        # entries to add up, or the width of the sums; padding has an empty row
        cost = np.maximum(np.diff(self.starts)[histories].sum(1), width)
        parts = [self._summed(histories[some], candidates[some], width) for some in blocks(cost)]
        return np.concatenate(parts) if parts else np.zeros(candidates.shape)

    def _summed(self, histories: Array, candidates: Array, width: int) -> Floats:
        flat = histories.ravel().astype(np.int64)
        starts, lengths = self.starts[flat], self.starts[flat + 1] - self.starts[flat]
        found = ranges(starts, starts + lengths)[1]  # every entry of every item's row
        cells = (  # (history, column) of each entry as one number
            np.repeat(np.arange(len(flat)) // histories.shape[1] * width, lengths)
            + self.columns[found]
        )
        sums = np.bincount(cells, weights=self.values[found], minlength=len(histories) * width)
        scores = sums.astype(np.float64).reshape(-1, width)  # bincount of nothing is int
        return np.asarray(scores[np.arange(len(candidates))[:, None], candidates])


def _fit(users: Ints, events: Ints, *, items: int, keep: int) -> ItemToItem:
    """Return the neighbours of all items with their similarities."""
    width = items + 1
    by_user = np.unique(users * width + events)  # each (user, item) once, users in order
    users, bought = by_user // width, by_user % width
    sizes = np.bincount(users, minlength=1)
    starts = np.cumsum(sizes) - sizes  # of each user in `bought`
    owners = users[np.argsort(bought, kind="stable")]  # users by item
    ends = np.cumsum(np.bincount(bought, minlength=width))  # where each item's users end
    counts = np.diff(ends, prepend=0)  # users of each item
    cost = np.bincount(bought, weights=sizes[users], minlength=width)  # pairs of each item
    parts = []
    for some in blocks(cost):
        readers = owners[ends[some.start] - counts[some.start] : ends[some.stop - 1]]
        item = np.repeat(np.arange(some.start, some.stop), counts[some])
        pairs = (  # each item of the block with all items of each of its users
            np.repeat(item * width, sizes[readers])
            + bought[ranges(starts[readers], starts[readers] + sizes[readers])[1]]
        )
        keys, shared = np.unique(pairs, return_counts=True)  # users that two items share
        a, b = keys // width, keys % width
        parts.append(_nearest(a, b, shared / np.sqrt(counts[a] * counts[b]), keep=keep))
    rows, neighbours, similarity = (np.concatenate(each) for each in zip(*parts, strict=True))
    return ItemToItem.of(rows, neighbours, similarity, items=items)


def _nearest(
    rows: Array, columns: Array, similarity: Array, *, keep: int
) -> tuple[Array, Array, Array]:
    """Keep each row's `keep` most similar columns other than itself; sorted rows stay sorted."""
    other = rows != columns
    rows, columns, similarity = rows[other], columns[other], similarity[other]
    order = np.lexsort((columns, -similarity, rows))
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)  # rank within the row
    order = order[place < keep]
    return (
        rows[order].astype(np.int32),
        columns[order].astype(np.int32),
        similarity[order].astype(np.float32),
    )


def blocks(cost: Array) -> list[slice]:
    """Cut consecutive rows into slices that cost up to `_PAIRS` each, or hold one row."""
    slices, start, spent = [], 0, 0
    for row, price in enumerate(cost.tolist()):
        if spent + price > _PAIRS and row > start:
            slices.append(slice(start, row))
            start, spent = row, 0
        spent += price
    return [*slices, slice(start, len(cost))] if len(cost) else []
