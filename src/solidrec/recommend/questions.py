"""What an engine is asked and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from solidrec.arrays import Array
from solidrec.recommend.rules import NO_RULES, Rules


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
@dataclass(frozen=True)
class Question:
    """A request for the ``k`` best items for a ``history`` of raw ids, oldest first.

    Items of the history are left out unless ``keep_history``; the ``rules`` are those of `Rules`.
    """

    history: Sequence[str]
    k: int = 10
    keep_history: bool = False
    rules: Rules = NO_RULES


@final
@dataclass(frozen=True)
class Asked:
    """A question in item indices: its ``known`` history, and what may not be in the answer.

    Its ``candidates``, if it names any, ascend and are not ``banned``; ``ignored`` are ids that the
    model does not know.
    """

    question: Question
    known: list[int]
    banned: list[int]
    ignored: list[str] = field(default_factory=list)
    candidates: list[int] | None = None


def candidates_of(asked: Sequence[Asked]) -> Array:
    """Return the candidates of several questions, (r, C), in ascending order, padded with 0."""
    named = [one.candidates for one in asked if one.candidates is not None]
    table = np.zeros((len(named), max(map(len, named), default=0)), dtype=np.int64)
    for row, own in zip(table, named, strict=True):
        row[: len(own)] = own
    return table
