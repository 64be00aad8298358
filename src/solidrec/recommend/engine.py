"""Recommend for any history: raw item ids in, ranked raw item ids out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
import polars as pl
import torch.nn.functional as F

from solidrec.arguments import as_count, as_histories
from solidrec.arrays import Array
from solidrec.errors import UsageError
from solidrec.inference.scorer import ModelScorer, neural_of, scorer_of, slices
from solidrec.inference.top import top
from solidrec.runs import Run

POPULARITY = "popularity"
"""The fallback for an empty history: items ranked by their frequency in training."""
_ENCODED = 1024  # histories that are encoded together
_CELLS = 1 << 22  # scores at a time: 16 MB, or one row


@final
@dataclass(frozen=True)
class Recommendation:
    """The answer to one history: ranked ``items``, and how they were found.

    ``ignored`` are the ids that the model does not know. ``fallback`` names the method that
    answered, or is None when the model did.
    """

    items: list[dict[str, Any]]
    ignored: list[str]
    fallback: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the answer as a dictionary of plain values."""
        return {"items": self.items, "ignored": self.ignored, "fallback": self.fallback}


@final
class Engine:
    """Recommend with a loaded run, for users given as histories of item ids, oldest first."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.score = scorer_of(run.model)
        self.encoder = ModelScorer(neural_of(run.model))
        self.popularity = run.catalog["training_count"].to_numpy().astype(np.float32)
        self.everything = np.arange(1, len(run.items) + 1)[None]
        untitled = pl.Series([None] * len(run.catalog), dtype=pl.String)
        self.titles = run.catalog["title"] if "title" in run.catalog.columns else untitled

    def recommend(
        self, history: Sequence[str], k: int = 10, *, keep_history: bool = False
    ) -> Recommendation:
        """Return the `k` best items for a history of raw ids.

        Ids that the model does not know are ignored and listed. If none is left, the answer is the
        most frequent items in training. Items of the history are left out unless `keep_history`.
        Raises `UsageError` for a k or a history of another kind (`arguments`).
        """
        return self.recommend_many([history], k, keep_history=keep_history)[0]

    def recommend_many(
        self, histories: Sequence[Sequence[str]], k: int = 10, *, keep_history: bool = False
    ) -> list[Recommendation]:
        """Return the result of `recommend` for many histories, scored together."""
        k = as_count(k, "k")
        split = [self.run.items.known(history) for history in as_histories(histories)]
        ranked: list[list[dict[str, Any]]] = []
        for part in slices(len(split), _ENCODED):
            ranked += self.ranked([known for known, _ in split[part]], k, keep_history=keep_history)
        return [
            Recommendation(items, ignored, None if known else POPULARITY)
            for items, (known, ignored) in zip(ranked, split, strict=True)
        ]

    def window(self, histories: Sequence[Sequence[int]]) -> Array:
        """Return the last L items of each history, (B, L), padded with 0 on the right."""
        length = self.run.spec.model.history_length
        table = np.zeros((len(histories), length), dtype=np.int64)
        for row, history in enumerate(histories):
            recent = history[-length:]
            table[row, : len(recent)] = recent
        return table

    def ranked(
        self, histories: Sequence[Sequence[int]], k: int, *, keep_history: bool
    ) -> list[list[dict[str, Any]]]:
        """Return the k best items for each history of known items.

        The histories are encoded together and scored in blocks of bounded memory.
        """
        read = self.score.read(self.window(histories))
        found: list[list[dict[str, Any]]] = []
        for part in slices(len(histories), max(1, _CELLS // self.everything.shape[1])):
            scores = read(part, self.everything)
            for row, history in zip(scores, histories[part], strict=True):
                if not history:
                    row[:] = self.popularity
                elif not keep_history:
                    row[np.asarray(history) - 1] = -np.inf
            found += self.top(scores, k)
        return found

    def top(self, scores: Array, k: int) -> list[list[dict[str, Any]]]:
        """Return the k best items of each row of `scores` (r, V) as dicts, ties by vocabulary."""
        # infinite scores and NaN are never recommended
        if not scores.max(initial=-np.inf) < np.inf:
            scores = np.where(np.isfinite(scores), scores, -np.inf)
        rows, columns = top(scores, k)
        ids, titles = self.run.items.ids, self.titles.gather(columns).to_list()
        best = zip(columns.tolist(), scores[rows, columns].tolist(), titles, strict=True)
        found = [
            {"item": ids[column], "score": score, "title": title} for column, score, title in best
        ]
        # `rows` is sorted: find where each row's items begin and end
        ends = np.searchsorted(rows, np.arange(len(scores) + 1)).tolist()
        return [found[start:stop] for start, stop in pairwise(ends)]

    def similar(self, item: str, k: int = 10) -> list[dict[str, Any]]:
        """Return the k items with the largest cosine between learned embeddings.

        Raises `UsageError` if `item` is unknown.
        """
        index = self.run.items.index(str(item))
        if not index:
            raise UsageError(
                f"item {item!r}: the model does not know it; its vocabulary is items.parquet of "
                f"{self.run.path}"
            )
        k = as_count(k, "k")
        vectors = F.normalize(self.run.model.items.weight.detach()[1:], dim=1)
        scores = (vectors @ vectors[index - 1]).cpu().numpy()
        scores[index - 1] = -np.inf
        return self.top(scores[None], k)[0]

    def item_vectors(self) -> pl.DataFrame:
        """Return ``item`` and its embedding ``vector`` (D,), one row per item.

        The embeddings of a mixture are those of its neural expert.
        """
        vectors = self.run.model.items.weight.detach()[1:].cpu().numpy()
        return pl.DataFrame({"item": self.run.items.ids, "vector": vectors})

    def user_vectors(self, histories: Sequence[Sequence[str]]) -> Array:
        """Return (B, D) vectors whose dot products with item vectors are the logits.

        The vectors of a mixture are those of its neural expert. Raises `UsageError` for a backbone
        such as DIN, whose user state depends on the candidate.
        """
        if not self.encoder.keeps_vectors:
            raise UsageError(
                f"backbone {self.run.spec.model.backbone.name!r} has one user state a candidate, "
                "so there is no single user vector"
            )
        known = [self.run.items.known(history)[0] for history in as_histories(histories)]
        return np.asarray(self.encoder.vectors(self.window(known)).cpu().numpy())
