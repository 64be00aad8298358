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

from solidrec.arguments import as_count, as_histories
from solidrec.arrays import Array
from solidrec.errors import UsageError
from solidrec.inference.scorer import ModelScorer, neural_of, scorer_of, slices
from solidrec.inference.top import top
from solidrec.recommend.attributes import Attributes
from solidrec.recommend.choose import choose
from solidrec.recommend.questions import Asked, Question, Recommendation
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
        untitled = pl.Series([None] * len(run.catalog), dtype=pl.String)
        self.titles = run.catalog["title"] if "title" in run.catalog.columns else untitled
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
        Raises `UsageError` for a k or a history of another kind (`arguments`), and for rules that
        name what the items do not have.
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
        k = as_count(k, "k")
        return self.answer(
            [Question(history, k, keep_history, rules) for history in as_histories(histories)]
        )

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
        known, ignored = self.run.items.known(question.history)
        if question.rules.candidates is None:
            return Asked(question, known, ignored)
        candidates, others = self.run.items.known(question.rules.candidates)
        ignored = list(dict.fromkeys([*ignored, *others]))
        return Asked(question, known, ignored, np.unique(np.asarray(candidates, dtype=np.int64)))

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
        return self._ranked([Asked(Question((), k, keep_history), [*one]) for one in histories])

    def _ranked(self, asked: Sequence[Asked]) -> list[list[dict[str, Any]]]:
        """Return the items of each answer; histories are encoded together."""
        whole = [place for place, one in enumerate(asked) if one.candidates is None]
        few = [place for place, one in enumerate(asked) if one.candidates is not None]
        found: dict[int, list[dict[str, Any]]] = {}
        # Rows that ask for the whole catalogue are scored in blocks of bounded memory.
        rows = [asked[place] for place in whole]
        read = self.score.read(self.window([one.known for one in rows])) if rows else None
        for part in slices(len(rows), max(1, _CELLS // self.everything.shape[1])):
            assert read is not None
            scores = read(part, self.everything)
            for row, one in zip(scores, rows[part], strict=True):
                self._restrict(row, one, slice(None))
            found |= zip(whole[part], self._chosen(scores, rows[part]), strict=True)
        # Those that name candidates are scored for these, one by one: each has its own.
        rows = [asked[place] for place in few]
        read = self.score.read(self.window([one.known for one in rows])) if rows else None
        for place, one in enumerate(rows):
            assert read is not None
            assert one.candidates is not None
            columns = one.candidates - 1
            row = np.full((1, self.everything.shape[1]), -np.inf, dtype=np.float32)
            if len(columns):
                scores = read(slice(place, place + 1), one.candidates[None])[0]
                self._restrict(scores, one, columns)
                row[0, columns] = scores
            found[few[place]] = self._chosen(row, [one])[0]
        return [found[place] for place in range(len(asked))]

    def _restrict(self, scores: Array, asked: Asked, columns: Array | slice) -> None:
        """Apply a question's fallback, boosts and bans to the scores of the items in `columns`."""
        rules = asked.question.rules
        if not asked.known:
            scores[:] = self.popularity[columns]
        for text, factor in rules.boost.items():
            # The odds exp(score) are multiplied; counts are multiplied themselves.
            fits = self.attributes.fitting(text)[columns]
            scores[fits] = scores[fits] + math.log(factor) if asked.known else scores[fits] * factor
        if rules.filter is not None:
            scores[~self.attributes.fitting(rules.filter)[columns]] = -np.inf
        banned = asked.banned
        if rules.exclude:
            banned = banned + self.run.items.known(rules.exclude)[0]
        if banned:
            places = np.asarray(banned) - 1
            own = places if isinstance(columns, slice) else np.isin(columns, places)
            scores[own] = -np.inf

    def _chosen(self, scores: Array, asked: Sequence[Asked]) -> list[list[dict[str, Any]]]:
        """Return the items of the answers from scores (r, V): the best, or as the rules choose."""
        most = max((one.question.k for one in asked), default=1)
        best = self.top(scores, most)
        return [
            self._reordered(row, one) if one.question.rules.reorders else items[: one.question.k]
            for row, one, items in zip(scores, asked, best, strict=True)
        ]

    def _reordered(self, scores: Array, asked: Asked) -> list[dict[str, Any]]:
        """Return the items of an answer that has to be varied."""
        question = asked.question
        rules = question.rules
        columns = choose(
            scores,
            question.k,
            vectors=self._directions if rules.diversity else None,
            diversity=rules.diversity,
            at_most=[(self.attributes.labels(name), most) for name, most in rules.at_most.items()],
        )
        return self._shown(columns, scores[columns])

    @cached_property
    def _directions(self) -> Array:
        """The item embeddings, each of length 1, (V, D)."""
        vectors = F.normalize(self.run.model.items.weight.detach()[1:], dim=1)
        return np.asarray(vectors.cpu().numpy())

    def top(self, scores: Array, k: int) -> list[list[dict[str, Any]]]:
        """Return the k best items of each row of `scores` (r, V) as dicts, ties by vocabulary."""
        # infinite scores and NaN are never recommended
        if not scores.max(initial=-np.inf) < np.inf:
            scores = np.where(np.isfinite(scores), scores, -np.inf)
        rows, columns = top(scores, k)
        found = self._shown(columns, scores[rows, columns])
        # `rows` is sorted: find where each row's items begin and end
        ends = np.searchsorted(rows, np.arange(len(scores) + 1)).tolist()
        return [found[start:stop] for start, stop in pairwise(ends)]

    def _shown(self, columns: Array, scores: Array) -> list[dict[str, Any]]:
        """Return items as an answer lists them."""
        ids, titles = self.run.items.ids, self.titles.gather(columns).to_list()
        best = zip(columns.tolist(), scores.tolist(), titles, strict=True)
        return [
            {"item": ids[column], "score": score, "title": title} for column, score, title in best
        ]

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
