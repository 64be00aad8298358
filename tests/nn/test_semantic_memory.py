"""The memory of semantic ids against a plain loop."""

from __future__ import annotations

import pytest
import torch

from solidrec.nn.semantic_memory import SemanticMemory

V, S, L = 12, 4, 5
OF_ITEM = torch.cat([torch.zeros(1, dtype=torch.int64), torch.arange(V) % S + 1])
DECAY = 0.6


@pytest.fixture
def ratio() -> torch.Tensor:
    found = torch.rand(S + 1, S + 1, generator=torch.Generator().manual_seed(0)) + 0.1
    found[0] = 0
    found[:, 0] = 0
    return found


def test_it_is_the_mean_over_the_items_weighed_by_age(ratio: torch.Tensor) -> None:
    history = torch.tensor([[3, 7, 1, 0, 0], [5, 0, 0, 0, 0], [9, 9, 2, 11, 4]])
    found = SemanticMemory(OF_ITEM, ratio, DECAY)(history)[0]
    for row, items in enumerate(history.tolist()):
        own = [item for item in items if item]
        weights = [DECAY**age for age in range(len(own) - 1, -1, -1)]  # the newest item is last
        for item in range(1, V + 1):
            expected = sum(
                weight * float(ratio[OF_ITEM[each], OF_ITEM[item]])
                for weight, each in zip(weights, own, strict=True)
            ) / sum(weights)
            assert float(found[row, item - 1]) == pytest.approx(expected, rel=1e-5)


def test_an_empty_history_says_nothing(ratio: torch.Tensor) -> None:
    found = SemanticMemory(OF_ITEM, ratio, DECAY)(torch.zeros(2, L, dtype=torch.int64))
    assert not found.any()


def test_of_several_levels_the_first_counts(ratio: torch.Tensor) -> None:
    history = torch.tensor([[3, 7, 1]])
    levels = torch.stack([OF_ITEM, OF_ITEM.flip(0)], 1)
    one, two = (SemanticMemory(of_item, ratio, DECAY)(history) for of_item in (OF_ITEM, levels))
    assert torch.equal(one, two)


def test_padding_changes_nothing(ratio: torch.Tensor) -> None:
    memory = SemanticMemory(OF_ITEM, ratio, DECAY)
    short, long = torch.tensor([[3, 7]]), torch.tensor([[3, 7, 0, 0]])
    torch.testing.assert_close(memory(short), memory(long))
