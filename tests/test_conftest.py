"""The net under the other tests holds: shapes are checked, sums repeat, absent data skips."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from jaxtyping import TypeCheckError

from solidrec.nn.masks import last_valid, valid


def test_a_right_shape_passes() -> None:
    assert valid(torch.tensor([[1, 0]])).tolist() == [[True, False]]


def test_a_wrong_number_of_dimensions_is_caught() -> None:
    with pytest.raises(TypeCheckError, match="'history'"):
        valid(torch.tensor([1, 0]))


def test_a_wrong_kind_of_number_is_caught() -> None:
    with pytest.raises(TypeCheckError, match="'history'"):
        valid(torch.tensor([[1.0, 0.0]]))


def test_sizes_that_disagree_are_caught() -> None:
    with pytest.raises(TypeCheckError, match="'mask'"):
        last_valid(torch.zeros(2, 3, 4), torch.ones(2, 5, dtype=torch.bool))  # L is 3 and 5


def test_every_module_with_shapes_came_through_the_check(shaped: list[str]) -> None:
    """One imported before the check was installed would go unchecked, in silence."""
    assert "solidrec.nn.masks" in shaped
    loaders = {name: type(importlib.import_module(name).__loader__).__module__ for name in shaped}
    assert loaders == dict.fromkeys(shaped, "jaxtyping._import_hook")


def test_torch_repeats_itself() -> None:
    assert torch.get_num_threads() == 1
    assert torch.are_deterministic_algorithms_enabled()


def test_absent_data_skips_with_the_cure(shared_data: Callable[[str], Path]) -> None:
    with pytest.raises(pytest.skip.Exception, match="SOLIDREC_SHARED_DATA"):
        shared_data("no such set")
