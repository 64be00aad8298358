"""Recommend for any history: raw item ids in, ranked raw item ids out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, final

import numpy as np
import polars as pl
import torch.nn.functional as F
from torch import Tensor

from solidrec.arguments import as_count, as_flag, as_histories
from solidrec.arrays import Array
from solidrec.errors import UsageError
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.inference.scorer import ModelScorer, neural_of, slices
from solidrec.inference.top import top
from solidrec.recommend.attributes import Attributes
from solidrec.recommend.choose import choose
from solidrec.recommend.questions import Asked, Question, Recommendation, candidates_of
from solidrec.recommend.rules import NO_RULES, Rules
from solidrec.runs import Run

POPULARITY = "popularity"
"""The fallback for an empty history: items ranked by their frequency in training."""
_ENCODED = 1024  # histories that are encoded together
_CELLS = 1 << 22  # scores at a time: 16 MB, or one row


@final
class Engine:
    """Recommend with a loaded run, for users given as histories of item ids, oldest first.

    The `attributes` of its items are what rules read; they may be replaced by `changed` ones.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.score = scorer_of(run.model)
        self.encoder = ModelScorer(neural_of(run.model))
        self.popularity = run.catalog["training_count"].to_numpy().astype(np.float32)
        self.everything = np.arange(1, len(run.items) + 1)[None]
        names = run.catalog.get_column("title", default=None)
        self.titles = [None] * len(run.catalog) if names is None else names.to_list()
        self.attributes = Attributes.of(run.catalog, run.attributes)

    def recommend(
        self,
        history: Sequence[str],
        k: int = 10,
        *,
        keep_history: bool = False,
        rules: Rules = NO_RULES,
    ) -> Recommendation:
        """Return the `k` best items for a history of raw ids.

        Ids that the model does not know are ignored and listed. If none is left, the answer is the
        most frequent items in training. Items of the history are left out unless `keep_history`.
        Raises `UsageError` for a k, a history (`arguments`) or rules that cannot be followed.
        """
        return self.recommend_many([history], k, keep_history=keep_history, rules=rules)[0]

    def recommend_many(
        self,
        histories: Sequence[Sequence[str]],
        k: int = 10,
        *,
        keep_history: bool = False,
        rules: Rules = NO_RULES,
    ) -> list[Recommendation]:
        """Return the result of `recommend` for many histories, scored together."""
        k, each = as_count(k, "k"), as_histories(histories)
        keep_history = as_flag(keep_history, "keep_history")
        return self.answer(Question(history, k, keep_history, rules) for history in each)

    def answer(self, questions: Iterable[Question]) -> list[Recommendation]:
        """Return the answers to questions, which are scored together."""
        asked = [self._asked(question) for question in questions]
        ranked: list[list[dict[str, Any]]] = []
        for part in slices(len(asked), _ENCODED):
            ranked += self._ranked(asked[part])
        return [
            Recommendation(items, one.ignored, None if one.known else POPULARITY)
            for items, one in zip(ranked, asked, strict=True)
        ]

    def _asked(self, question: Question) -> Asked:
        """Translate the ids of a question to indices."""
        items, rules = self.run.items, question.rules
        known, ignored = items.known(question.history)
        banned = [*items.known(rules.exclude)[0], *(() if question.keep_history else known)]
        if rules.candidates is None:
            return Asked(question, known, banned, ignored)
        candidates, others = items.known(rules.candidates)
        ignored = list(dict.fromkeys([*ignored, *others]))
        return Asked(question, known, banned, ignored, sorted({*candidates} - {*banned}))

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
        question = Question((), k, keep_history)
        return self._ranked(
            [Asked(question, [*one], [] if keep_history else [*one]) for one in histories]
        )

    def _ranked(self, asked: Sequence[Asked]) -> list[list[dict[str, Any]]]:
        """Return the items of each answer; histories are encoded together."""
        found: dict[int, list[dict[str, Any]]] = {}
        ways = [(one.candidates is not None, self._fits(one)) for one in asked]
        for way in sorted(set(ways)):
            named, fits = way
            places = [place for place, own in enumerate(ways) if own == way]
            rows = [asked[place] for place in places]
            read = self.score.read_best if fits else self.score.read
            scored = read(self.window([one.known for one in rows]))
            items = candidates_of(rows) if named else self.everything
            for part in slices(len(rows), max(1, _CELLS // max(1, items.shape[1]))):
                own = items[part] if named else items
                scores = scored(part, np.maximum(own, 1)) if own.size else np.zeros(own.shape)
                found |= zip(places[part], self._chosen(scores, own, rows[part]), strict=True)
        return [found[place] for place in range(len(asked))]

    def _fits(self, asked: Asked) -> bool:
        """Return whether the best items that a scorer is sure to score are enough for an answer."""
        rules = asked.question.rules
        if asked.candidates is not None or rules.filter or rules.boost or rules.reorders:
            return False
        left_out = len(asked.banned) + self.attributes.hidden
        return asked.question.k + left_out <= self.score.certain

    def _chosen(
        self, scores: Array, items: Array, asked: Sequence[Asked]
    ) -> list[list[dict[str, Any]]]:
        """Return the items of the answers from the scores (r, C) of `items` (r or 1, C)."""
        each = np.broadcast_to(items, scores.shape)
        for row, own, one in zip(scores, each, asked, strict=True):
            # A slice costs nothing where an index would copy the whole catalogue.
            columns = slice(None) if items is self.everything else own - 1
            self._restrict(row, one, columns)
            if items is not self.everything:
                row[own == 0] = -np.inf
        best = self._best(scores, each, max(one.question.k for one in asked))
        return [
            self._reordered(row, own, one) if one.question.rules.reorders else top[: one.question.k]
            for row, own, one, top in zip(scores, each, asked, best, strict=True)
        ]

    def _restrict(self, scores: Array, asked: Asked, columns: Array | slice) -> None:
        """Apply a question's fallback, boosts and bans to the scores of the items in `columns`."""
        rules, attributes = asked.question.rules, self.attributes  # which others may replace
        if not asked.known:
            scores[:] = self.popularity[columns]
        for text, factor in rules.boost.items():
            # The odds exp(score) are multiplied; counts are multiplied themselves.
            fits = attributes.fitting(text)[columns]
            scores[fits] = scores[fits] + math.log(factor) if asked.known else scores[fits] * factor
        if attributes.shown is not None:
            scores[~attributes.shown[columns]] = -np.inf
        if rules.filter is not None:
            scores[~attributes.fitting(rules.filter)[columns]] = -np.inf
        if asked.banned and asked.candidates is None:  # else they are no candidates
            scores[np.asarray(asked.banned) - 1] = -np.inf

    def _reordered(self, scores: Array, items: Array, asked: Asked) -> list[dict[str, Any]]:
        """Return the items of an answer that has to be varied."""
        rules, columns = asked.question.rules, np.maximum(items, 1) - 1
        kinds = [(self.attributes.labels(name), most) for name, most in rules.at_most.items()]
        chosen = choose(
            scores,
            asked.question.k,
            vectors=self._directions[columns].cpu().numpy() if rules.diversity else None,
            diversity=rules.diversity,
            at_most=[([labels[n] for n in columns.tolist()], most) for labels, most in kinds],
        )
        return self._shown(columns[chosen], scores[chosen])

    @cached_property
    def _directions(self) -> Tensor:
        """The item embeddings, each of length 1, (V, D)."""
        return F.normalize(self.run.model.items.weight.detach()[1:], dim=1)

    def top(self, scores: Array, k: int) -> list[list[dict[str, Any]]]:
        """Return the k best items of each row of `scores` (r, V) as dicts, ties by vocabulary."""
        items = self.everything[:, : scores.shape[1]]
        return self._best(scores, np.broadcast_to(items, scores.shape), k)

    def _best(self, scores: Array, items: Array, k: int) -> list[list[dict[str, Any]]]:
        """Return the k best of `items` by `scores`, both (r, C), as dicts, ties by column."""
        # infinite scores and NaN are never recommended
        if not scores.max(initial=-np.inf) < np.inf:
            scores = np.where(np.isfinite(scores), scores, -np.inf)
        rows, columns = top(scores, k)
        found = self._shown(items[rows, columns] - 1, scores[rows, columns])
        # `rows` is sorted: find where each row's items begin and end
        ends = np.searchsorted(rows, np.arange(len(scores) + 1)).tolist()
        return [found[start:stop] for start, stop in pairwise(ends)]

    def _shown(self, columns: Array, scores: Array) -> list[dict[str, Any]]:
        """Return items as an answer lists them."""
        ids, titles = self.run.items.ids, self.titles
        return [
            {"item": ids[column], "score": score, "title": titles[column]}
            for column, score in zip(columns.tolist(), scores.tolist(), strict=True)
        ]

    def similar(self, item: str, k: int = 10) -> list[dict[str, Any]]:
        """Return the k items with the largest cosine between learned embeddings, if they are shown.

        Raises `UsageError` if `item` is unknown.
        """
        index = self.run.items.index(str(item))
        if not index:
            raise UsageError(
                f"item {item!r}: the model does not know it; its vocabulary is items.parquet of "
                f"{self.run.path}"
            )
        k = as_count(k, "k")
        scores = (self._directions @ self._directions[index - 1]).cpu().numpy()
        scores[index - 1] = -np.inf
        if (shown := self.attributes.shown) is not None:
            scores[~shown] = -np.inf
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
