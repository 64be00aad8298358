"""What the causal transformers share: all but their blocks."""

from __future__ import annotations

from typing import final

import torch
from tests.nn.backbones.equations import LENGTHS, D, L, inputs
from torch import Tensor, nn

from solidrec.nn.backbones.transformer import CausalTransformer


@final
class Sum(nn.Module):
    """A block that adds what each position may read: ones count them."""

    def forward(self, query: Tensor, x: Tensor, attn_mask: Tensor) -> Tensor:
        return query + attn_mask.expand(len(x), -1, -1).to(x.dtype) @ torch.ones_like(x)


@final
class Counting(CausalTransformer):
    """The transformer whose blocks are sums."""

    @staticmethod
    def block(dim: int, heads: int, dropout: float) -> Sum:
        return Sum()


def counting() -> Counting:
    """Two blocks, without the last norm, which would hide what the blocks add."""
    torch.manual_seed(0)
    made = Counting(D, length=L, blocks=2, heads=1, dropout=0.0).double().eval()
    made.norm = nn.Identity()
    return made


def test_items_are_scaled_and_positions_count_from_the_oldest() -> None:
    """sqrt(D) e + p_i, and in each of two blocks i + 1 positions are read at position i."""
    backbone = counting()
    items, mask, candidates = inputs()
    states = backbone.states(items, mask)
    for at in range(L):
        own = D**0.5 * items[:, at] + backbone.position.weight[at] + 2 * (at + 1)
        torch.testing.assert_close(states[:, at], own)
    last = backbone(items, mask, candidates)[:, 0]
    for row, n in enumerate(LENGTHS):
        expected = states[row, n - 1] if n else torch.zeros(D, dtype=torch.float64)
        torch.testing.assert_close(last[row], expected)


def test_the_last_block_computes_one_position() -> None:
    backbone, asked = counting(), []
    for block in backbone.blocks:
        block.register_forward_hook(lambda module, args, out: asked.append(out.shape[1]))
    backbone(*inputs())
    assert asked == [L, 1]
