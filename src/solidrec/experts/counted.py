"""The counted experts of prepared data, as memories of a mixture."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

from solidrec.data.prepared import PreparedData
from solidrec.experts.recency import recency
from solidrec.experts.semantic import semantic_ratio
from solidrec.experts.sparse_rows import side_by_side
from solidrec.experts.transitions import transitions
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import CONTENT, LOG, SEMANTIC, Counted
from solidrec.nn.semantic_memory import SemanticMemory


def memory(matrices: list[csr_array], decay: tuple[float, ...]) -> Memory:
    """Return (V, V) matrices from item to item as one memory."""
    starts, columns, values = side_by_side(matrices)
    return Memory(
        torch.from_numpy(starts), torch.from_numpy(columns), torch.from_numpy(values), decay
    )


def count(
    data: PreparedData, similar: csr_array, semantic_of_item: Tensor | None, *, recent: bool = False
) -> Counted:
    """Count the memories of the training events; `similar` is the content memory of `alike`.

    Without semantic ids all items share one id, which carries no information. Recency is counted
    only if `recent` is set.
    """
    moved = transitions(data.event_items, data.offsets, data.train_end, items=len(data.items))
    counts = torch.from_numpy(np.asarray(data.train_counts, dtype=np.float32))
    of_item = (
        (torch.arange(len(counts)) > 0).long() if semantic_of_item is None else semantic_of_item
    )
    # The transitions between semantic ids are those of the first level.
    first = np.asarray(of_item.view(len(counts), -1)[:, 0])
    ratio = torch.from_numpy(
        semantic_ratio(data.event_items, data.offsets, data.train_end, semantic_of_item=first)
    )
    memories = (
        memory(list(moved), LOG),
        memory([similar], CONTENT),
        SemanticMemory(of_item, ratio, SEMANTIC),
    )
    return Counted(memories, counts, torch.from_numpy(recency(data)) if recent else None)
