"""SASRec with gated blocks, as eSASRec has them (Tikhonovich et al., RecSys 2025; LiGR: Borisyuk et al., arXiv:2502.03417)."""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.attention import SelfAttention
from solidrec.nn.backbones.transformer import CausalTransformer
from solidrec.nn.kernels.dropout import Dropout

_WIDE = 4
"""Width of the feed-forward network, in widths of the model."""


@final
class LiGRBlock(nn.Module):
    """Self-attention, then a SwiGLU network, each behind a gate: x + sigmoid(x W) * dropout(f(norm(x))) (LiGR's Eq. 5-6)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, dropout)
        self.gate_attention = nn.Linear(dim, dim)
        self.norm_feed_forward = nn.LayerNorm(dim)
        self.rise = nn.Linear(dim, 2 * _WIDE * dim, bias=False)
        self.fall = nn.Linear(_WIDE * dim, dim, bias=False)
        self.gate_feed_forward = nn.Linear(dim, dim)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        query: Float[Tensor, "B M D"],
        x: Float[Tensor, "B L D"],
        attn_mask: Bool[Tensor, "#B M L"],
    ) -> Float[Tensor, "B M D"]:
        """Apply the block at the `query` positions of `x`."""
        normed = self.norm_attention(x)
        normed_query = normed if query is x else self.norm_attention(query)
        attended = self.dropout(self.attention(normed_query, normed, attn_mask))
        query = query + torch.sigmoid(self.gate_attention(query)) * attended
        fed = self.dropout(self.feed_forward(self.norm_feed_forward(query)))
        out: Tensor = query + torch.sigmoid(self.gate_feed_forward(query)) * fed
        return out

    def feed_forward(self, x: Float[Tensor, "B M D"]) -> Float[Tensor, "B M D"]:
        """Return the SwiGLU network of each position: (silu(x A) * x B) C (Shazeer, arXiv:2002.05202)."""
        gate, value = self.rise(x).chunk(2, -1)
        out: Tensor = self.fall(self.dropout(F.silu(gate) * value))
        return out


@final
class LiGR(CausalTransformer):
    """Causal transformer of gated blocks."""

    @staticmethod
    def block(dim: int, heads: int, dropout: float) -> LiGRBlock:
        """Return a new block."""
        return LiGRBlock(dim, heads, dropout)
