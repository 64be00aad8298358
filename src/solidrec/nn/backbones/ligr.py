"""SASRec with gated blocks, as eSASRec has them (Tikhonovich et al., RecSys 2025; LiGR: Borisyuk et al., arXiv:2502.03417)."""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.attention import SelfAttention
from solidrec.nn.backbones.base import CausalBackbone
from solidrec.nn.dropout import Dropout
from solidrec.nn.masks import causal, last, pick

WIDE = 4
"""Width of the feed-forward network, in widths of the model."""


@final
class LiGRBlock(nn.Module):
    """Self-attention, then a SwiGLU network, each behind a gate: x + sigmoid(x W) * dropout(f(norm(x))) (LiGR's Eq. 5-6)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, dropout)
        self.gate_attention = nn.Linear(dim, dim)
        self.norm_feed = nn.LayerNorm(dim)
        self.rise = nn.Linear(dim, 2 * WIDE * dim, bias=False)
        self.fall = nn.Linear(WIDE * dim, dim, bias=False)
        self.gate_feed = nn.Linear(dim, dim)
        self.dropout = Dropout(dropout)

    def forward(
        self, asking: Float[Tensor, "B M D"], x: Float[Tensor, "B L D"], readable: Bool[Tensor, "#B M L"]
    ) -> Float[Tensor, "B M D"]:
        """Apply the block at the `asking` positions of `x`."""
        normed = self.norm_attention(x)
        normed_asking = normed if asking is x else self.norm_attention(asking)
        attended = self.dropout(self.attention(normed_asking, normed, readable))
        asking = asking + torch.sigmoid(self.gate_attention(asking)) * attended
        fed = self.dropout(self.feed_forward(self.norm_feed(asking)))
        out: Tensor = asking + torch.sigmoid(self.gate_feed(asking)) * fed
        return out

    def feed_forward(self, x: Float[Tensor, "B M D"]) -> Float[Tensor, "B M D"]:
        """Return the SwiGLU network of each position: (silu(x A) * x B) C (Shazeer, arXiv:2002.05202)."""
        gate, value = self.rise(x).chunk(2, -1)
        out: Tensor = self.fall(self.dropout(F.silu(gate) * value))
        return out


@final
class LiGR(CausalBackbone):
    """Causal transformer of gated blocks; position 0 is the oldest item of the window, the last item's state the user state."""

    def __init__(self, dim: int, *, length: int, blocks: int, heads: int, dropout: float) -> None:
        super().__init__(dim, length=length, blocks=blocks, heads=heads, dropout=dropout)
        self.scale = dim**0.5
        self.position = nn.Embedding(length, dim)
        nn.init.normal_(self.position.weight, std=0.1)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(LiGRBlock(dim, heads, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"], candidates: Float[Tensor, "#B C D"]
    ) -> Float[Tensor, "B 1 D"]:
        """Return the state at the last item; padding on the right is behind the causal mask.

        Only that position of the last block is wanted, so only that position is computed.
        """
        x = self.lower(items)
        some = mask.any(1)[:, None, None]
        state: Tensor = self.norm(self.blocks[-1](pick(x, last(mask)), x, mask[:, None] | ~some))
        return state * some

    def states(self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
        """Return the state at every position."""
        x = self.lower(items)
        states: Tensor = self.norm(self.blocks[-1](x, x, causal(x.shape[1], x.device)))
        return states

    def lower(self, items: Float[Tensor, "B L D"]) -> Float[Tensor, "B L D"]:
        """Return what the last block reads."""
        x: Tensor = self.dropout(items * self.scale + self.position.weight[: items.shape[1]])
        readable = causal(items.shape[1], items.device)
        for block in self.blocks[:-1]:
            x = block(x, x, readable)
        return x
