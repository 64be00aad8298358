"""The counted experts of prepared data, as memories of a mixture."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array

from solidrec.data.prepared import PreparedData
from solidrec.experts.neighbours import side_by_side
from solidrec.experts.transitions import transitions
from solidrec.nn.build_mixture import DECAYS, Counted
from solidrec.nn.memory import Memory


def memory(matrices: list[csr_array], decay: tuple[float, ...]) -> Memory:
    """Return matrices (V, V) from item to item as one memory."""
    starts, columns, values = side_by_side(matrices)
    return Memory(torch.from_numpy(starts), torch.from_numpy(columns), torch.from_numpy(values), decay)


def count(data: PreparedData, similar: csr_array) -> Counted:
    """Return the memories of the training events and of content, given how `similar` items are (`alike`)."""
    moved = transitions(data.event_items, data.offsets, data.train_end, items=len(data.items))
    counts = torch.from_numpy(np.asarray(data.train_counts, dtype=np.float32))
    return Counted((memory(list(moved), DECAYS[0]), memory([similar], DECAYS[1])), counts)
