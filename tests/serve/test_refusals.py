"""Refusals: a status and one line, which is JSON whatever the request was."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from solidrec.errors import UsageError
from solidrec.serve.refusals import Refused, of_error, of_validation
from solidrec.serve.schema import RecommendBody


def refusal(content: str) -> Refused:
    with pytest.raises(ValidationError) as caught:
        RecommendBody.model_validate_json(content)
    return of_validation(caught.value, RecommendBody)


def test_the_place_of_a_mistake_is_named_by_our_words() -> None:
    assert refusal("{").status == 400
    found = refusal('{"history": ["a", 3]}')
    assert (found.status, found.message) == (422, "history.1: input should be a valid string")
    unknown = refusal('{"history": [], "DROP TABLE": 1}')
    assert unknown.message == "an unknown key: extra inputs are not permitted"
    key = refusal('{"history": [], "boost": {"secret": -1}}')
    assert key.message == "boost.an unknown key: input should be greater than 0"


def test_bodies_are_json_even_of_odd_texts() -> None:
    assert json.loads(Refused(422, 'a "b" \ud800').body())["error"].startswith('a "b" ')


def test_errors_of_the_library_are_mistakes_of_the_request() -> None:
    refused = of_error(UsageError("setting diversity: too large"))
    assert (refused.status, refused.message) == (422, "diversity: too large")
