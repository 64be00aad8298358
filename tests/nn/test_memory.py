"""Memories against loops over a history; padding says nothing, and every history is read alone."""

from __future__ import annotations

import numpy as np
import torch

from solidrec.nn.memory import Memory
from solidrec.nn.semantic_memory import SemanticMemory

V = 9
HISTORY = torch.tensor([[3, 1, 3, 0], [0, 0, 0, 0], [5, 9, 2, 7], [4, 0, 0, 0]])


def dense() -> torch.Tensor:
    """Two kinds of rows (K, V, V), a third of their entries zero, row 4 empty."""
    generator = torch.Generator().manual_seed(0)
    table = torch.rand(2, V, V, generator=generator) * (torch.rand(V, V, generator=generator) > 0.3)
    table[:, 3] = 0
    return table


def memory() -> Memory:
    table = dense()
    row, column = table[0].nonzero(as_tuple=True)
    starts = torch.cat(
        [torch.zeros(2, dtype=torch.int64), torch.bincount(row, minlength=V).cumsum(0)]
    )
    return Memory(starts, column.int(), table[:, row, column].T.contiguous(), (0.5, 0.8))


def test_a_memory_is_the_decayed_sum_of_the_rows_of_a_history() -> None:
    found = memory()(HISTORY)
    assert found.shape == (2, 4, V)
    for kind, decay in enumerate((0.5, 0.8)):
        for user, row in enumerate(HISTORY.tolist()):
            items = [item for item in row if item]
            expected = sum(
                (decay**age * dense()[kind, item - 1] for age, item in enumerate(reversed(items))),
                torch.zeros(V),
            )
            torch.testing.assert_close(found[kind, user], expected)


def test_padding_is_invisible_and_rows_are_strangers() -> None:
    tested = memory()
    longer = torch.cat([HISTORY, torch.zeros(4, 3, dtype=torch.int64)], 1)
    torch.testing.assert_close(tested(longer), tested(HISTORY), rtol=0, atol=0)
    for user in range(4):
        torch.testing.assert_close(
            tested(HISTORY[user : user + 1])[:, 0], tested(HISTORY)[:, user], rtol=0, atol=0
        )


def test_a_semantic_memory_is_the_weighted_mean_of_ratios() -> None:
    of_item = torch.tensor([0, 1, 1, 2, 2, 2, 3, 3, 1, 3])
    ratio = torch.rand(4, 4, generator=torch.Generator().manual_seed(1))
    ratio[0], ratio[:, 0] = 0, 0
    (found,) = SemanticMemory(of_item, ratio, 0.5)(HISTORY)
    for user, row in enumerate(HISTORY.tolist()):
        ids = [int(of_item[item]) for item in row if item][::-1]
        weights = 0.5 ** np.arange(len(ids))
        for item in range(1, V + 1):
            expected = float(
                sum(
                    w * ratio[one, of_item[item]]
                    for w, one in zip(weights / weights.sum(), ids, strict=True)
                )
            )
            np.testing.assert_allclose(float(found[user, item - 1]), expected, rtol=1e-5)


def test_of_several_levels_the_first_counts() -> None:
    of_item = torch.tensor([0, 1, 2, 1])
    ratio = torch.rand(3, 3)
    one = SemanticMemory(of_item, ratio, 0.8)(torch.tensor([[1, 2]]))
    two = SemanticMemory(torch.stack([of_item, torch.tensor([0, 2, 2, 2])], 1), ratio, 0.8)(
        torch.tensor([[1, 2]])
    )
    assert torch.equal(one, two)
