"""Recency: what is popular at the end of training, for data whose targets all come after it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from solidrec.data.prepared import PreparedData
from solidrec.data.windows import ranges

_HALF = 0.01
"""Share of the training events after which an event counts half."""


def recency(data: PreparedData) -> npt.NDArray[np.float32]:
    """Return how often each item occurs (V + 1,) in training, an event counting 2^(-a / .01) if a share a of all is later.

    Events at the same time count the same. `data` is ordered by time (`prepare --split time` makes sure of it).
    """
    _, positions = ranges(data.offsets[:-1], data.train_end)
    times = np.asarray(data.event_times)[positions]
    later = len(times) - np.searchsorted(np.sort(times), times, side="right")
    weight = 0.5 ** (later / max(len(times), 1) / _HALF)
    return np.bincount(
        data.event_items[positions], weights=weight, minlength=len(data.items) + 1
    ).astype(np.float32)
