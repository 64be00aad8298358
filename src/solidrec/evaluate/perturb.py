"""Histories that differ by one event, drawn from (seed, user) alone, and how much two ranked lists overlap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solidrec.arrays import Array, Floats

_PERSISTENCE = 0.9
"""p of RBO: the chance that a reader goes on to the next place; the first 10 places have .86 of the weight."""


def uniforms(users: Array, count: int, *, seed: int) -> Floats:
    """Return (R, count) numbers in [0, 1), a function of (seed, user) alone, whatever the other rows are.

    >>> uniforms(np.array([7, 3]), 2, seed=0)[1].tolist() == uniforms(np.array([3]), 2, seed=0)[0].tolist()
    True
    """
    return np.array(
        [np.random.default_rng([seed, user]).random(count) for user in users.tolist()]
    ).reshape(len(users), count)


def _below(draw: Floats, count: Array | int) -> Array:
    """Turn numbers in [0, 1) into whole ones below `count`, each alike (-1 where it is 0 or less).

    >>> _below(np.array([0.0, 0.5, 0.99]), 4).tolist()
    [0, 2, 3]
    """
    return np.asarray(np.minimum((draw * count).astype(np.int64), np.asarray(count) - 1))


def _swap(histories: Array, draw: Floats, items: int) -> Array:
    """Exchange two neighbours, each pair alike; a history of fewer than two items has none and stays.

    As for the others: `histories` (R, L) are padded with 0 on the right, `draw` (R,) in [0, 1) says where.

    >>> _swap(np.array([[4, 5, 6, 0], [7, 0, 0, 0]]), np.array([0.6, 0.6]), 9).tolist()
    [[4, 6, 5, 0], [7, 0, 0, 0]]
    """
    places, first, some = _places(histories, fewer=1, draw=draw)
    moved = np.where(places == first, places + 1, np.where(places == first + 1, places - 1, places))
    return _taken(histories, np.where(some, moved, places))


def _drop(histories: Array, draw: Floats, items: int) -> Array:
    """Leave one item out.

    >>> _drop(np.array([[4, 5, 6, 0]]), np.array([0.0]), 9).tolist()
    [[5, 6, 0, 0]]
    """
    places, at, some = _places(histories, fewer=0, draw=draw)
    return _taken(
        np.pad(histories, ((0, 0), (0, 1))), np.where(some, places + (places >= at), places)
    )


def _duplicate(histories: Array, draw: Floats, items: int) -> Array:
    """Repeat one item right after itself; where the history is full, its oldest item makes room.

    >>> _duplicate(np.array([[4, 5, 0], [4, 5, 6]]), np.array([0.0, 0.9]), 9).tolist()
    [[4, 4, 5], [5, 6, 6]]
    """
    places, at, some = _places(histories, fewer=0, draw=draw)
    full = (histories != 0).all(1)[:, None]
    longer = places + full  # places in the history that is one item longer
    return _taken(histories, np.where(some, longer - (longer > at), places))


def add(histories: Array, draw: Floats, items: int) -> Array:
    """Let an item of the catalogue, each of 1..`items` alike, follow as the newest; a full history loses its oldest.

    >>> add(np.array([[4, 5, 0], [4, 5, 6], [0, 0, 0]]), np.array([0.0, 0.5, 0.99]), 9).tolist()
    [[4, 5, 1], [5, 6, 5], [9, 0, 0]]
    """
    lengths = (histories != 0).sum(1)
    full = lengths == histories.shape[1]
    longer = np.pad(histories, ((0, 0), (0, 1)))
    longer[np.arange(len(histories)), lengths] = 1 + _below(draw, items)
    return np.where(full[:, None], longer[:, 1:], longer[:, :-1])


PERTURBATIONS: dict[str, tuple[Callable[[Array, Floats, int], Array], int]] = {
    "swap": (_swap, 2),
    "drop": (_drop, 1),
    "duplicate": (_duplicate, 1),
    "add": (add, 0),
}
"""What may happen to a history, and how many items it needs for that."""


def _places(histories: Array, *, fewer: int, draw: Floats) -> tuple[Array, Array, Array]:
    """Return places (1, L), one drawn among the first ``length - fewer`` of each row (R, 1), and whether there is any (R, 1)."""
    choices = ((histories != 0).sum(1) - fewer)[:, None]
    return np.arange(histories.shape[1])[None], _below(draw[:, None], choices), choices > 0


def _taken(histories: Array, places: Array) -> Array:
    return np.take_along_axis(histories, np.minimum(places, histories.shape[1] - 1), 1)


def rbo(first: Array, second: Array, p: float = _PERSISTENCE) -> Floats:
    """Return the rank-biased overlap (R,) of two lists (R, k) of distinct items, best first, extrapolated beyond place k.

    Of a reader who goes on from each place with chance p, it is the mean share of items that both lists show; beyond place k
    the overlap is taken to stay what it is there: RBO_ext, Eq. 23 of Webber, Moffat and Zobel, TOIS 28(4), 2010. 1 for the
    same list, 0 for lists without a common item.

    >>> rbo(np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3]]), np.array([[1, 2, 3], [4, 5, 6], [2, 1, 3]])).round(2).tolist()
    [1.0, 0.0, 0.9]
    """
    same = first[:, :, None] == second[:, None, :]
    k = first.shape[1]
    overlap = same.cumsum(1).cumsum(2)[
        :, np.arange(k), np.arange(k)
    ]  # X_d, what the first d places have in common
    depth = np.arange(1, k + 1)
    agreement = overlap / depth
    return np.asarray(agreement[:, -1] * p**k + (1 - p) / p * (agreement * p**depth).sum(1))
