"""Histories that differ by one event, drawn from (seed, user), and the overlap of ranked lists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from solidrec.arrays import Array, Floats

_PERSISTENCE = 0.9
"""p of RBO, the chance of reading on: the first 10 places have .86 of the weight."""


def uniforms(users: Array, count: int, *, seed: int) -> Floats:
    """Return (R, count) numbers in [0, 1) that depend on (seed, user) alone, not on other rows.

    >>> two, one = uniforms(np.array([7, 3]), 2, seed=0), uniforms(np.array([3]), 2, seed=0)
    >>> two[1].tolist() == one[0].tolist()
    True
    """
    return np.array(
        [np.random.default_rng([seed, user]).random(count) for user in users.tolist()]
    ).reshape(len(users), count)


def _below(draw: Floats, count: Array | int) -> Array:
    """Turn numbers in [0, 1) into uniform integers below `count` (negative if that is 0 or less).

    >>> _below(np.array([0.0, 0.5, 0.99]), 4).tolist()
    [0, 2, 3]
    """
    return np.asarray(np.minimum((draw * count).astype(np.int64), np.asarray(count) - 1))


def _swap(histories: Array, draw: Floats, items: int) -> Array:
    """Swap two neighbouring items, each pair alike; a history of fewer than two stays as it is.

    Here and below, `histories` (R, L) are 0-padded on the right and `draw` (R,) in [0, 1) says
    where.

    >>> _swap(np.array([[4, 5, 6, 0], [7, 0, 0, 0]]), np.array([0.6, 0.6]), 9).tolist()
    [[4, 6, 5, 0], [7, 0, 0, 0]]
    """
    places, first, some = _places(histories, fewer=1, draw=draw)
    # the place that each place takes its item from
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
    """Repeat one item right after itself; a full history loses its oldest item.

    >>> _duplicate(np.array([[4, 5, 0], [4, 5, 6]]), np.array([0.0, 0.9]), 9).tolist()
    [[4, 4, 5], [5, 6, 6]]
    """
    places, at, some = _places(histories, fewer=0, draw=draw)
    full = (histories != 0).all(1)[:, None]
    longer = places + full  # places in the history that is one item longer
    return _taken(histories, np.where(some, longer - (longer > at), places))


def add(histories: Array, draw: Floats, items: int) -> Array:
    """Append one of the items 1..`items`, each alike; a full history loses its oldest item.

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
"""Each perturbation with the number of items that a history needs for it."""


def _places(histories: Array, *, fewer: int, draw: Floats) -> tuple[Array, Array, Array]:
    """Return places (1, L), one drawn below ``length - fewer`` and if there is any, both (R, 1)."""
    choices = ((histories != 0).sum(1) - fewer)[:, None]
    return np.arange(histories.shape[1])[None], _below(draw[:, None], choices), choices > 0


def _taken(histories: Array, places: Array) -> Array:
    return np.take_along_axis(histories, np.minimum(places, histories.shape[1] - 1), 1)


def rbo(first: Array, second: Array, p: float = _PERSISTENCE) -> Floats:
    """Return the rank-biased overlap (R,) of two lists (R, k) of distinct items, best first.

    The mean share of items in both lists for a reader who goes on from each place with chance `p`,
    where the overlap beyond place k is taken as that at k: RBO_ext, Eq. 23 of Webber, Moffat and
    Zobel, TOIS 28(4), 2010. 1 for equal lists, 0 for lists without a common item.

    >>> first = np.array([[1, 2, 3], [1, 2, 3], [1, 2, 3]])
    >>> rbo(first, np.array([[1, 2, 3], [4, 5, 6], [2, 1, 3]])).round(2).tolist()
    [1.0, 0.0, 0.9]
    """
    same = first[:, :, None] == second[:, None, :]  # (R, k, k)
    k = first.shape[1]
    overlap = same.cumsum(1).cumsum(2)[:, np.arange(k), np.arange(k)]  # X_d: common in d places
    depth = np.arange(1, k + 1)
    agreement = overlap / depth
    return np.asarray(agreement[:, -1] * p**k + (1 - p) / p * (agreement * p**depth).sum(1))
