"""Golden answers: a few that a run keeps beside its weights, by which a loaded model is recognised.

A file that is whole can still be read wrong, by another version of a library or on another machine.
"""

from __future__ import annotations

from typing import final

import numpy as np
from pydantic import BaseModel, ConfigDict

from solidrec.arrays import Array
from solidrec.inference.scorer import HistoryScorer
from solidrec.inference.top import top

_LENGTHS = (1, 3, 10, 1000)
"""Lengths of the histories; the last is cut to what a model reads, and to the catalogue."""
_BEST = 10
TOLERANCE = 1e-5
"""How far a score may be from the one that is kept, of one or of the score."""


@final
class Golden(BaseModel):
    """Histories of item indices, and the best items for each with their scores."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    histories: list[list[int]]
    items: list[list[int]]
    scores: list[list[float]]

    @classmethod
    def of(cls, scorer: HistoryScorer, *, items: int, length: int) -> Golden:
        """Return the answers of a model that knows `items` and reads histories up to `length`."""
        rng = np.random.default_rng(0)
        histories = [
            (rng.permutation(items)[: min(size, length, items)] + 1).tolist() for size in _LENGTHS
        ]
        scores = scorer(_padded(histories), np.arange(1, items + 1)[None])
        rows, columns = top(scores, min(_BEST, items))
        best = [(columns[rows == row] + 1).tolist() for row in range(len(histories))]
        return cls(
            histories=histories,
            items=best,
            scores=[[float(scores[row, item - 1]) for item in own] for row, own in enumerate(best)],
        )

    def distance(self, scorer: HistoryScorer) -> float:
        """Return the largest distance of a score from the one that is kept, in tolerances."""
        width = max((len(own) for own in self.items), default=0)
        if not width:
            return 0.0
        items, kept = _padded(self.items), np.zeros((len(self.items), width))
        for row, own in zip(kept, self.scores, strict=True):
            row[: len(own)] = own
        found = scorer(_padded(self.histories), np.maximum(items, 1)).astype(np.float64)
        apart = np.abs(found - kept) / (TOLERANCE * (1 + np.abs(kept)))
        return float(np.where(items > 0, apart, 0.0).max())


def _padded(rows: list[list[int]]) -> Array:
    """Return lists of indices as one table, padded with 0."""
    table = np.zeros((len(rows), max(map(len, rows), default=0)), dtype=np.int64)
    for row, own in zip(table, rows, strict=True):
        row[: len(own)] = own
    return table
