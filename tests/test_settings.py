"""Settings are laid over one another and written on a command line."""

from __future__ import annotations

from typing import Any

import pytest

from solidrec.errors import UsageError
from solidrec.settings import assignment, difference, flat, merge, nested, value_at


def test_merge_is_deep_and_leaves_its_input_alone() -> None:
    base = {"model": {"dim": 32, "codebook": {"mlp": True}}, "seed": 0}
    merged = merge(base, {"model": {"codebook": {"hidden": 8}}, "data": "x"})
    assert merged == {
        "model": {"dim": 32, "codebook": {"mlp": True, "hidden": 8}},
        "seed": 0,
        "data": "x",
    }
    assert base == {"model": {"dim": 32, "codebook": {"mlp": True}}, "seed": 0}
    assert merge({"model": 1}, {"model": {"dim": 2}}) == {"model": {"dim": 2}}
    assert merge({"model": {"dim": 2}}, {"model": 1}) == {"model": 1}


def test_text_beside_a_group_is_its_name() -> None:
    name, blocks = nested({"model.backbone": "ligr"}), nested({"model.backbone.blocks": 4})
    assert merge(name, blocks) == merge(blocks, name)
    assert merge(name, blocks) == {"model": {"backbone": {"name": "ligr", "blocks": 4}}}


def test_text_beside_a_group_that_is_no_backbone_is_kept_to_be_refused() -> None:
    for group in ("semantics", "encoded", "codebook"):
        assert merge({group: {"id": 1}}, {group: "id"}) == {group: "id"}


@pytest.mark.parametrize("name", [{}, {"backbone": {"name": "ligr"}}])
def test_of_the_two_names_of_a_setting_the_later_place_decides(name: dict[str, Any]) -> None:
    earlier, present = {"blocks": 3}, {"backbone": {"blocks": 4}}
    named = merge({"model": name}, {"model": present})
    assert merge({"model": name | earlier}, {"model": present}) == named
    assert merge(named, {"model": earlier}) == {"model": {"backbone": {}} | name | earlier}


def test_one_place_says_a_setting_by_one_name() -> None:
    with pytest.raises(UsageError, match=r"^model\.blocks is the earlier name"):
        nested({"model.blocks": 3, "model.backbone.blocks": 4})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("seed=3", {"seed": 3}),
        ("model.codebook.mlp=false", {"model": {"codebook": {"mlp": False}}}),
        ("train.learning_rate=1e-2", {"train": {"learning_rate": 0.01}}),
        ('semantics.modalities=["text", "id"]', {"semantics": {"modalities": ["text", "id"]}}),
        ("model.backbone=din", {"model": {"backbone": "din"}}),
        ("data=a=b", {"data": "a=b"}),
        ("data=", {"data": ""}),
    ],
)
def test_assignment(text: str, value: dict[str, Any]) -> None:
    assert assignment(text) == value


@pytest.mark.parametrize("text", ["model.dim", "=3", ""])
def test_assignment_without_key_or_value_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write it as key=value"):
        assignment(text)


def test_the_first_difference_is_named_by_its_key() -> None:
    """In the order of what is here; then what only the other one has."""
    there = {"seed": 1, "model": {"dim": 32, "name": "duet"}, "gone": {"a": 1}}
    mine = {"model": {"name": "duet", "dim": 64}, "seed": 2}
    assert difference(there, mine) == "model.dim is 32 there, 64 here"
    assert difference(there, mine | {"model": there["model"]}) == "seed is 1 there, 2 here"
    assert difference(there, {"seed": 1, "model": there["model"]}) == (
        "gone is {'a': 1} there, None here"
    )
    assert (
        difference({"model": {}}, {"model": {"clip": "x"}}) == "model.clip is None there, 'x' here"
    )


def test_settings_by_dotted_key_and_back() -> None:
    settings = {
        "model": {"codebook": {"mlp": False}, "name": "x=y.z"},
        "seed": 0,
        "list": [1, None],
    }
    by_key = flat(settings)
    assert by_key == {
        "model.codebook.mlp": False,
        "model.name": "x=y.z",
        "seed": 0,
        "list": [1, None],
    }
    assert nested(by_key) == settings
    assert {key: value_at(settings, key) for key in by_key} == by_key
    assert value_at(settings, "model.codebook") == {"mlp": False}
    assert value_at(settings, "model.codebook.mlp.deeper") is value_at(settings, "no") is None


def test_nested_settings_have_their_present_names() -> None:
    dotted = {"model.backbone": "ligr", "model.backbone.blocks": 4, "train": {"batch": 8}}
    assert nested(dotted) == {
        "model": {"backbone": {"name": "ligr", "blocks": 4}},
        "train": {"batch_size": 8},
    }
    with pytest.raises(UsageError, match=r"train\.batch is the earlier name of train\.batch_size"):
        nested({"train.batch": 8, "train.batch_size": 9})


@pytest.mark.parametrize("value", ["9" * 5_000, "[" * 100_000])
def test_a_value_of_no_setting_is_one_short_line(value: str) -> None:
    with pytest.raises(UsageError, match=r"^--set seed=.*is no value") as found:
        assignment(f"seed={value}")
    assert len(str(found.value)) < 150


@pytest.mark.parametrize("value", [None, "x", 3, [1], {3: 4}])
def test_settings_are_a_dictionary_by_name(value: Any) -> None:
    with pytest.raises(UsageError, match="give a dictionary"):
        nested(value)


def test_what_is_nested_deeper_than_any_setting_is_refused() -> None:
    key = ".".join(["a"] * 5_000)
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"a": deep or 1}
    for given in ({key: 1}, deep):
        with pytest.raises(UsageError, match="no setting is nested so deeply") as caught:
            nested(given)
        assert len(str(caught.value)) < 120


def test_an_assignment_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^--set model=\{\}: sets nothing"):
        assignment("model={}")
