"""Recency: popularity at the end of training, for data whose targets all come later."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from solidrec.data.prepared import PreparedData
from solidrec.data.windows import ranges

_HALF = 0.01
"""Share of the training events after which the weight of an event has halved."""


def recency(data: PreparedData) -> npt.NDArray[np.float32]:
    """Return the count of each item in training (V + 1,), with late events weighted most.

    An event that a share a of all training events comes after counts 2^(-a / .01). Events at the
    same time count the same. `data` is ordered by time (`prepare --split time` makes sure of it).
    """
    _, positions = ranges(data.offsets[:-1], data.train_end)
    times = np.asarray(data.event_times)[positions]
    # The number of training events after each event.
    later = len(times) - np.searchsorted(np.sort(times), times, side="right")
    weight = 0.5 ** (later / max(len(times), 1) / _HALF)
    return np.bincount(
        data.event_items[positions], weights=weight, minlength=len(data.items) + 1
    ).astype(np.float32)
