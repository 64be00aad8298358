"""What an engine is asked and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

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
    """A question in item indices: its ``known`` history and ``candidates`` (C,), if it names any.

    ``ignored`` are its ids that the model does not know.
    """

    question: Question
    known: list[int]
    ignored: list[str] = field(default_factory=list)
    candidates: Array | None = None

    @property
    def banned(self) -> list[int]:
        """The items of the history, unless they are kept."""
        return [] if self.question.keep_history or not self.known else self.known
