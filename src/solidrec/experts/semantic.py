"""Transitions between semantic ids: few enough to be counted well where items are rare."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Array
from solidrec.data.windows import ranges
from solidrec.experts.transitions import BACKWARD, FADE

_REACH = 8
"""Largest distance, in events, at which two semantic ids are counted together."""
_PRIOR = 20.0
"""Weight of the prior, the id's share of all events, in counted events."""


def semantic_ratio(
    event_items: Array, offsets: Array, train_end: Array, *, semantic_of_item: Array
) -> npt.NDArray[np.float32]:
    """Return (S + 1, S + 1): how much more often id b occurs near id a than anywhere.

    Two events d <= 8 apart count .8^(d-1), and .3 of that in the other order. The ratio is
    (n_ab + 20 p_b) / (n_a + 20) / p_b, with n_ab the counts of a row and p_b the share of b among
    training events. Padding has zeros. `semantic_of_item` is (V + 1,) in 1..S.

    >>> # no user has two events, so nothing is known
    >>> items, offsets, ends = np.array([1, 2]), np.array([0, 0, 1, 2]), np.array([0, 1, 2])
    >>> semantic_ratio(items, offsets, ends, semantic_of_item=np.array([0, 1, 2])).tolist()
    [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
    """
    # The users and the semantic ids of all training events, in order.
    users, positions = ranges(offsets[:-1], train_end)
    ids = semantic_of_item[event_items[positions]].astype(np.int64)
    width = int(semantic_of_item.max()) + 1
    counted = np.zeros(width * width)
    for distance in range(1, _REACH + 1):
        # Pairs of events at this distance that belong to one user.
        same = users[distance:] == users[:-distance]
        if same.any():
            # The flat index of each pair (earlier id, later id) in the table.
            cells = ids[:-distance][same] * width + ids[distance:][same]
            counted += FADE ** (distance - 1) * np.bincount(cells, minlength=width * width)
    table = counted.reshape(width, width)
    # The other order counts in part.
    table = table + BACKWARD * table.T
    share = np.bincount(ids, minlength=width) / max(len(ids), 1)
    # The smoothed share of b near a, relative to the share of b overall (1 if b never occurs).
    smoothed = (table + _PRIOR * share) / (table.sum(1, keepdims=True) + _PRIOR)
    ratio = np.divide(smoothed, share, out=np.ones_like(smoothed), where=share > 0)
    ratio[0], ratio[:, 0] = 0, 0
    return np.asarray(ratio, dtype=np.float32)
