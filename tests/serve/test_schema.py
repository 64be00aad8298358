"""Bodies: each key of a request is the rule of the same name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from solidrec.recommend.rules import NO_RULES, Rules
from solidrec.serve.schema import ItemsBody, RecommendBody, ScoreBody


def test_every_rule_is_a_key_of_a_request() -> None:
    assert set(Rules.model_fields) <= set(RecommendBody.model_fields)


def test_a_body_is_the_question_that_it_says() -> None:
    body = RecommendBody.model_validate_json(
        '{"history": ["a"], "k": 3, "keep_history": true, "exclude": ["b"], "at_most": {"c": 2}}'
    )
    question = body.question()
    assert (question.history, question.k, question.keep_history) == (["a"], 3, True)
    assert question.rules == Rules(exclude=("b",), at_most={"c": 2})
    assert question.rules.model_fields_set == {"exclude", "at_most"}
    plain = RecommendBody.model_validate_json('{"history": []}').question()
    assert plain.rules is NO_RULES
    assert body.question(["x", "y"]).history == ["x", "y", "a"]


def test_scores_are_asked_for_all_items_also_of_the_history() -> None:
    question = ScoreBody.model_validate_json('{"history": ["a"], "items": ["a", "b"]}').question()
    assert (question.k, question.keep_history) == (2, True)
    assert question.rules.candidates == ("a", "b")


@pytest.mark.parametrize("content", ['{"set": {"": {}}}', '{"remove": "a"}', '{"other": 1}'])
def test_changes_of_another_form_are_refused(content: str) -> None:
    with pytest.raises(ValidationError):
        ItemsBody.model_validate_json(content)
