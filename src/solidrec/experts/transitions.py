"""Transition memories: which items follow each other, and which occur together, in training."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array

from solidrec.arrays import Array
from solidrec.data.windows import ranges
from solidrec.experts.sparse_rows import nearest, sparse

_REACH = 30
"""Largest distance, in events, at which two items are counted together."""
FADE = 0.8
"""Factor on the count of a forward pair for each further event between its items."""
BACKWARD = 0.3
"""Weight of a pair in the other order, relative to the forward order."""
SOURCE, TARGET = 0.5, 0.3
"""Powers of the training counts of source and target item by which a pair is divided."""


def transitions(
    event_items: Array, offsets: Array, train_end: Array, *, items: int, target: float = TARGET
) -> tuple[csr_array, csr_array]:
    """Return the forward and the symmetric memory, (V, V) each; row j - 1 belongs to item j.

    Two training events of a user that are d <= 30 apart count .8^(d-1) forward (.3 of that
    backward), and 1 in both directions of the symmetric memory, divided by n_j^.5 n_i^`target` of
    the training counts n. `event_items`, `offsets` and `train_end` are those of `PreparedData`.

    >>> # one user saw 1, then 2: forward, 1 is more evidence for 2 than 2 for 1
    >>> items, offsets, ends = np.array([1, 2]), np.array([0, 0, 2]), np.array([0, 2])
    >>> forward, symmetric = transitions(items, offsets, ends, items=2)
    >>> forward.toarray().round(2).tolist(), symmetric.toarray().tolist()
    ([[0.0, 1.0], [0.3, 0.0]], [[0.0, 1.0], [1.0, 0.0]])
    """
    users, positions = ranges(offsets[:-1], train_end)
    # The zero-based items of all training events, in order.
    events = event_items[positions].astype(np.int64) - 1
    faded = together = csr_array((items, items), dtype=np.float64)
    for distance in range(1, _REACH + 1):
        # Pairs of events at this distance that belong to one user.
        same = users[distance:] == users[:-distance]
        if not same.any():
            # No user has two events so far apart, so none has two further apart.
            break
        before, after = events[:-distance][same], events[distance:][same]
        pairs = sparse(before, after, np.ones(len(before)), items=items)
        faded, together = faded + FADE ** (distance - 1) * pairs, together + pairs
    # Divide rows and columns by powers of the items' counts.
    counts = np.maximum(np.bincount(events, minlength=items), 1).astype(np.float64)
    left, right = diags_array(counts**-SOURCE), diags_array(counts**-target)
    return (
        nearest(csr_array(left @ (faded + BACKWARD * faded.T) @ right)),
        nearest(csr_array(left @ (together + together.T) @ right)),
    )
