"""A recommender as a scorer: arrays in, arrays out, in blocks of bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

import numpy as np
import numpy.typing as npt
import torch

from solidrec.nn.masks import valid
from solidrec.nn.recommender import Recommender

Array = npt.NDArray[Any]
FLOATS_AT_ONCE = 1 << 25


@final
class ModelScorer:
    """Score candidates with a recommender in eval mode; the model is put back into the mode it was in.

    A block holds at most about 2^25 floats of intermediate results (128 MiB), whatever the number of candidates.
    """

    def __init__(self, model: Recommender) -> None:
        self.model = model
        self.device = model.items.weight.device
        self.looks_at_candidates = states_of_two_candidates(model) > 1

    def rows_at_once(self, length: int, candidates: int) -> int:
        """Return how many histories fit into a block; a backbone that reads the candidates needs L times the room."""
        dim = self.model.items.embedding_dim
        per_candidate = 8 * dim * length if self.looks_at_candidates else 2 * dim
        return max(1, FLOATS_AT_ONCE // (candidates * per_candidate + 4 * dim * dim + 16 * dim * length))

    def __call__(self, histories: Array, candidates: Array) -> Array:
        """Return scores (r, C) of `candidates` (r or 1, C) for `histories` (r, L)."""
        rows = self.rows_at_once(histories.shape[1], candidates.shape[1])
        with evaluating(self.model):
            parts = [
                self.block(histories[i : i + rows], candidates if len(candidates) == 1 else candidates[i : i + rows])
                for i in range(0, len(histories), rows)
            ]
        return np.concatenate(parts) if parts else np.zeros((0, candidates.shape[1]), dtype=np.float32)

    def block(self, histories: Array, candidates: Array) -> Array:
        """Score one block on the model's device."""
        logits = self.model(self.tensor(histories), self.tensor(candidates)).logits
        return np.asarray(logits.float().cpu().numpy())

    def tensor(self, ids: Array) -> torch.Tensor:
        """Return ids as an int64 tensor on the model's device."""
        return torch.from_numpy(np.ascontiguousarray(ids, dtype=np.int64)).to(self.device)


@contextmanager
def evaluating(model: Recommender) -> Iterator[None]:
    """Put a model into eval mode without gradients, and back into the mode it was in."""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def states_of_two_candidates(model: Recommender) -> int:
    """Return how many user states a backbone makes for two candidates: 2 if it looks at them, else 1; its shape says so."""
    table = model.items.weight
    with evaluating(model):
        history = torch.zeros(1, 1, dtype=torch.int64, device=table.device)
        states = model.backbone(model.items(history), valid(history), table.new_zeros(1, 2, table.shape[1]))
    return int(states.shape[1])
