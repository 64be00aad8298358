"""Questions of many kinds are answered together as each would be alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from solidrec.api import Model
from solidrec.recommend.questions import Question
from solidrec.recommend.rules import Rules

HISTORY = ["i03", "i09", "i12"]
Items = list[dict[str, Any]]


def ids(items: Items) -> list[str]:
    return [one["item"] for one in items]


def test_questions_with_different_rules_are_answered_together_as_alone(shop: Model) -> None:
    questions = [
        Question(HISTORY, 3),
        Question(HISTORY, 5, rules=Rules(filter="price < 20")),
        Question([], 4, rules=Rules(exclude=("i00",))),
        Question(["i30"], 7, keep_history=True, rules=Rules(candidates=("i30", "i01", "i02"))),
        Question(HISTORY[::-1], 6, rules=Rules(diversity=0.5)),
        Question(["x"], 2, rules=Rules(candidates=("i05",))),
    ]
    together = shop.engine.answer(questions)
    for question, answer in zip(questions, together, strict=True):
        alone = shop.engine.answer([question])[0]
        assert ids(alone.items) == ids(answer.items)
        assert (alone.ignored, alone.fallback) == (answer.ignored, answer.fallback)
        np.testing.assert_allclose(
            [one["score"] for one in alone.items], [one["score"] for one in answer.items], atol=1e-5
        )
    assert shop.engine.answer([]) == []
