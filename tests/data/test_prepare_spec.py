"""The settings of prepare are checked before anything is read."""

from __future__ import annotations

import inspect

import pytest

from solidrec import prepare
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.errors import UsageError


def test_prepare_lists_every_setting() -> None:
    parameters = inspect.signature(prepare).parameters
    assert set(PrepareSpec.model_fields) <= set(parameters)
    assert parameters["negatives"].default == 99
    assert all(
        parameters[name].kind == inspect.Parameter.KEYWORD_ONLY for name in PrepareSpec.model_fields
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"order": "fil"}, "setting order: unknown name 'fil'; did you mean 'file'"),
        ({"k_core": -1}, "setting k_core: input should be greater than or equal to 0"),
        ({"feature_start": 2}, "setting feature_start"),
        ({"valid_from": 1.5}, "setting valid_from"),
        ({"users_column": "u"}, "unknown setting 'users_column'; did you mean 'user_column'"),
    ],
)
def test_a_mistake_is_one_line(given: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        PrepareSpec.parse(given)
    assert "\n" not in str(caught.value)


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in PrepareSpec.model_fields.items() if not field.description] == []
