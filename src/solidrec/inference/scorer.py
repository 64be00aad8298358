"""Score candidates with a model: arrays in, arrays out, in blocks of bounded memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import final

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from solidrec.arrays import Array
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender, dot

Scorer = Callable[[Array, Array], Array]
"""Function of histories (r, L) and candidates (r or 1, C) that returns scores (r, C)."""
Compute = Callable[[torch.Tensor], torch.Tensor]
"""Function of histories (B, L) that returns a row for each."""
Reader = Callable[[slice, Array], Array]
"""Function of rows of known histories and candidates (r or 1, C) that returns new scores (r, C)."""
# Floats of intermediate results; more leave the cache (DIN: 220 us per user, 500 with 2^25).
FLOATS_AT_ONCE = 1 << 22
_NEIGHBOURS = 300  # half of the memory entries of an item; see `entries`
_CACHED = 1 << 18  # floats of candidate embeddings in a block that stays in the cache


def reader(score: Scorer, histories: Array) -> Reader:
    """Return a function that scores candidates for rows of `histories` (r, L)."""
    if isinstance(score, HistoryScorer):
        return score.read(histories)
    return lambda rows, candidates: _own(score(histories[rows], candidates))


def _own(scores: Array) -> Array:
    """Return a copy of scores, in float32 if they have that type, else in float64."""
    scores = np.asarray(scores)
    kept = scores.dtype in (np.float32, np.float64)
    return np.array(scores, dtype=scores.dtype if kept else np.float64)


class HistoryScorer(ABC):
    """Score candidates with a model in eval mode, and restore the mode it was in.

    A block holds at most about 2^22 floats of intermediate results (16 MiB), for any candidates.
    """

    model: Recommender | Mixture
    compute: Compute
    """What the network computes for histories (B, L): user vectors (B, D), or scores (B, V)."""
    certain = 0
    """How many of the best items `read_best` is sure to score."""

    @property
    def device(self) -> torch.device:
        """The device of the model."""
        return self.model.items.weight.device

    @property
    @abstractmethod
    def keeps_vectors(self) -> bool:
        """Whether `read` keeps one vector per user, so that further candidates cost no encoding."""

    def __call__(self, histories: Array, candidates: Array) -> Array:
        """Return scores (r, C) of `candidates` (r or 1, C) for `histories` (r, L)."""
        return self.read(histories)(slice(None), candidates)

    @abstractmethod
    def read(self, histories: Array) -> Reader:
        """Return a function that scores candidates for `histories` (r, L)."""

    def read_best(self, histories: Array) -> Reader:
        """Return a function that scores the whole catalogue for `histories` (r, L).

        All but the ``certain`` best items of a history may be given -inf.
        """
        return self.read(histories)

    def record(self, recorded: Callable[[Compute], Compute]) -> bool:
        """Compute by what `recorded` makes of it from now on; return whether that is another."""
        before, self.compute = self.compute, recorded(self.compute)
        return self.compute is not before

    @abstractmethod
    def block(self, length: int) -> int:
        """Return how many histories of a length are computed at a time, at most."""

    def tensor(self, ids: Array) -> torch.Tensor:
        """Return ids as an int64 tensor on the model's device."""
        return torch.from_numpy(np.ascontiguousarray(ids, dtype=np.int64)).to(self.device)


def neural_of(model: Recommender | Mixture) -> Recommender:
    """Return the model itself, or the neural expert of a mixture."""
    return model.experts.neural if isinstance(model, Mixture) else model


@final
class ModelScorer(HistoryScorer):
    """Score candidates with a recommender, and keep user vectors if there is one per user."""

    def __init__(self, model: Recommender) -> None:
        self.model: Recommender = model
        self.compute = self._users

    @property
    def keeps_vectors(self) -> bool:
        """Whether a user has one vector; a backbone that reads candidates has one for each."""
        return not self.model.backbone.reads_candidates

    def read(self, histories: Array) -> Reader:
        """Encode `histories` (r, L) once and return a function that scores candidates for them."""
        if self.keeps_vectors:
            return partial(self.meet, self.vectors(histories))
        return partial(self.attend, histories)  # DIN encodes anew for each candidate

    def vectors(self, histories: Array) -> torch.Tensor:
        """Return user vectors (r, D), whose dot products with item embeddings are the scores."""
        table = self.model.items.weight
        parts = [table.new_zeros(0, table.shape[1])]
        rows = self.block(histories.shape[1])
        with evaluating(self.model):
            for start in range(0, len(histories), rows):
                parts.append(self.compute(self.tensor(histories[start : start + rows])))
            return torch.cat(parts)

    def _users(self, history: torch.Tensor) -> torch.Tensor:
        return self.model.encode(history).users

    def meet(self, vectors: torch.Tensor, rows: slice, candidates: Array) -> Array:
        """Score `candidates` (r or 1, C) by their dot products with the `rows` of `vectors`."""
        users = vectors[rows, None]
        with torch.inference_mode():
            if len(candidates) == 1:
                return to_array(dot(users, self.embedded(candidates)))
            size = max(1, _CACHED // (candidates.shape[1] * vectors.shape[1]))
            parts = [
                dot(users[i : i + size], self.embedded(candidates[i : i + size]))
                for i in range(0, len(users), size)
            ]
            if not parts:
                return np.zeros(candidates.shape, dtype=np.float32)
            return to_array(torch.cat(parts))

    def embedded(self, candidates: Array) -> torch.Tensor:
        """Return the embeddings of `candidates` (r, C), without a copy if they are consecutive."""
        table = self.model.items.weight
        inside = candidates.shape[1] and 0 <= candidates[0, 0] and candidates[0, -1] < len(table)
        if len(candidates) == 1 and inside and (np.diff(candidates[0]) == 1).all():
            return table[int(candidates[0, 0]) : int(candidates[0, -1]) + 1][None]
        return F.embedding(self.tensor(candidates), table)

    def attend(self, histories: Array, rows: slice, candidates: Array) -> Array:
        """Score `candidates` (r or 1, C), each with its own user state, in blocks."""
        histories, table = histories[rows], self.model.items.weight
        # columns are cut only if one row of candidates is too much for a block
        columns = max(1, FLOATS_AT_ONCE // self.floats(histories.shape[1], 1))
        size = self.rows_at_once(histories.shape[1], min(columns, candidates.shape[1]))
        scores = np.empty((len(histories), candidates.shape[1]), dtype=np.float32)
        with evaluating(self.model):
            for i in range(0, len(histories), size):
                history = self.tensor(histories[i : i + size])
                weights = self.model.generate(history).weights
                ids = self.tensor(candidates if len(candidates) == 1 else candidates[i : i + size])
                for j, some in enumerate(ids.split(columns, dim=1)):
                    targets = F.embedding(some, table)
                    logits = dot(self.model.users(history, targets, weights), targets)
                    scores[i : i + size, j * columns : (j + 1) * columns] = to_array(logits)
        return scores

    def floats(self, length: int, candidates: int) -> int:
        """Return about how many floats a history and its candidates take (L times more in DIN)."""
        dim = self.model.items.embedding_dim
        per_candidate = 2 * dim if self.keeps_vectors else 8 * dim * length
        return candidates * per_candidate + 4 * dim * dim + 16 * dim * length

    def block(self, length: int) -> int:
        """Return how many histories are encoded at a time."""
        return self.rows_at_once(length, 1)

    def rows_at_once(self, length: int, candidates: int) -> int:
        """Return how many histories fit into a block."""
        return max(1, FLOATS_AT_ONCE // self.floats(length, candidates))


def to_array(scores: torch.Tensor) -> Array:
    """Return scores as a float32 array."""
    return np.asarray(scores.float().cpu().numpy())


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model into eval mode without gradients, and restore its mode afterwards."""
    was_training = model.training  # the walk over all modules takes longer than a short request
    if was_training:
        model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train() if was_training else None


def own_weights(model: Recommender | Mixture) -> bool:
    """Tell whether each history gets its own weights, instead of all sharing one set."""
    with evaluating(model):
        # two histories get two sets of weights, or share one (static)
        history = torch.zeros(2, 1, dtype=torch.int64, device=model.items.weight.device)
        tensors = model.generate(history).weights.tensors
        return bool(tensors) and all(len(tensor) == 2 for tensor in tensors.values())


def entries(length: int) -> int:
    """Return about how many memory entries a history reads: up to 200 of three kinds per item."""
    return 2 * _NEIGHBOURS * length


def slices(count: int, size: int) -> Iterator[slice]:
    """Cut ``range(count)`` into consecutive slices of `size`, the last one shorter.

    >>> list(slices(5, 3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
