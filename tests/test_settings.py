"""Settings are laid over one another and written on a command line."""

from __future__ import annotations

from typing import Any

import pytest

from solidrec.errors import UsageError
from solidrec.settings import assignment, merge


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
