"""Histories as sources read them: whole, or cut into prefixes."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from solidrec.nn.histories import Histories

IDS = torch.tensor([[3, 1, 2], [4, 0, 0], [0, 0, 0]])


@pytest.fixture
def items() -> Tensor:
    return torch.arange(18.0).view(3, 3, 2)


def test_padding_is_masked(items: Tensor) -> None:
    assert torch.equal(Histories.of(IDS, items).mask, IDS > 0)


def test_whole_histories_end_at_their_last_item(items: Tensor) -> None:
    ends = Histories.of(IDS, items).end(items)
    assert torch.equal(ends, torch.stack([items[0, 2], items[1, 0], torch.zeros(2)]))


def test_each_prefix_ends_where_it_says(items: Tensor) -> None:
    prefix_ends = torch.tensor([0 * 3 + 0, 0 * 3 + 1, 1 * 3 + 0])
    ends = Histories.of(IDS, items, prefix_ends).end(items)
    assert torch.equal(ends, torch.stack([items[0, 0], items[0, 1], items[1, 0]]))


def test_a_position_weighs_as_often_as_it_is_read(items: Tensor) -> None:
    """Once in whole histories; of prefixes of one and two items the first item is in both."""
    assert torch.equal(Histories.of(IDS, items).weight(), (IDS > 0).float())
    prefix_ends = torch.tensor([0 * 3 + 0, 0 * 3 + 1, 1 * 3 + 0])
    expected = torch.tensor([[2.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert torch.equal(Histories.of(IDS, items, prefix_ends).weight(), expected)


def test_weights_have_the_precision_of_the_embeddings(items: Tensor) -> None:
    assert Histories.of(IDS, items.double()).weight().dtype == torch.float64
