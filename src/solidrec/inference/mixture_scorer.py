"""Score with a mixture, and the scorer of any model."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import final

import numpy as np
from torch import Tensor

from solidrec.arrays import Array
from solidrec.inference.scorer import (
    FLOATS_AT_ONCE,
    Compute,
    HistoryScorer,
    ModelScorer,
    Reader,
    entries,
    evaluating,
    slices,
    to_array,
)
from solidrec.nn.mixture import Mixture, of_candidates
from solidrec.nn.recommender import Recommender
from solidrec.nn.shortlist import CERTAIN, Shortlist, scores_of

_MANY = 20_000
"""Items from which not all are scored: with fewer that would be no faster (docs/decisions.md)."""
_SMALL_SHARE = 16
"""How many times as many items a catalogue has at least, of which few are candidates."""


def scorer_of(model: Recommender | Mixture) -> HistoryScorer:
    """Return the scorer for a model."""
    return _MixtureScorer(model) if isinstance(model, Mixture) else ModelScorer(model)


@final
class _MixtureScorer(HistoryScorer):
    """Score candidates with a mixture, which reads evidence over the whole catalogue each time."""

    keeps_vectors = False

    def __init__(self, model: Mixture) -> None:
        self.model: Mixture = model
        self.compute = self._mixed
        self.certain = CERTAIN if len(model.items.weight) > _MANY else 0

    @cached_property
    def shortened(self) -> Compute:
        """Computes scores (B, V) of the best items, of a large catalogue and a trained model."""
        return Shortlist(self.model).best

    def read(self, histories: Array) -> Reader:
        """Return a function that scores candidates for `histories` (r, L)."""
        return partial(self.mix, self.compute, histories)

    def read_best(self, histories: Array) -> Reader:
        """Return a function that scores the best items of the catalogue for `histories` (r, L)."""
        return partial(self.mix, self.shortened if self.certain else self.compute, histories)

    def record(self, recorded: Callable[[Compute], Compute]) -> bool:
        """Compute what is asked most by what `recorded` makes of it; return whether it is so."""
        if not self.certain:
            return super().record(recorded)
        before, self.shortened = self.shortened, recorded(self.shortened)
        return self.shortened is not before

    def mix(self, compute: Compute, histories: Array, rows: slice, candidates: Array) -> Array:
        """Score `candidates` (r or 1, C) for rows of `histories`, in blocks of similar length."""
        histories = histories[rows]
        items = len(self.model.items.weight) - 1
        whole = np.array_equal(candidates, np.arange(1, items + 1)[None])
        few = self.certain and _SMALL_SHARE * candidates.shape[1] <= items
        scores = np.empty((len(histories), candidates.shape[1]), dtype=np.float32)
        lengths = (histories != 0).sum(1)
        order = np.argsort(lengths, kind="stable")
        with evaluating(self.model):
            for part in slices(len(histories), self.block(histories.shape[1])):
                some = order[part]
                # cut padding up to the longest of the block: it costs time and changes nothing
                history = self.tensor(histories[some, : max(1, lengths[some[-1]])])
                if whole:
                    found = compute(history)
                else:
                    own = self.tensor(candidates if len(candidates) == 1 else candidates[some])
                    if few:
                        found = scores_of(self.model, history, own.expand(len(history), -1))
                    else:
                        found = of_candidates(self.compute(history), own)
                scores[some] = to_array(found)
        return scores

    def block(self, length: int) -> int:
        """Return how many histories are scored at a time: 1, 2, 4, ..., as they are recorded."""
        floats = max(4 * len(self.model.items.weight), entries(length))
        return 1 << max(0, (FLOATS_AT_ONCE // floats).bit_length() - 1)

    def _mixed(self, history: Tensor) -> Tensor:
        evidence = self.model.experts(history)
        mixed: Tensor = self.model.head(evidence, self.model.read(history, evidence).weights)
        return mixed
