"""eSASRec (Tikhonovich et al., RecSys 2025); LiGR blocks (Borisyuk et al., arXiv:2502.03417)."""

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
"""Width of the feed_forward network, as a multiple of the model's width."""


@final
class LiGRBlock(nn.Module):
    """Attention, then SwiGLU, each as x + sigmoid(x W) * dropout(f(norm(x))) (LiGR, Eq. 5-6)."""

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
        """Return (silu(x A) * x B) C for each position (SwiGLU; Shazeer, arXiv:2002.05202)."""
        gate, value = self.rise(x).chunk(2, -1)
        out: Tensor = self.fall(self.dropout(F.silu(gate) * value))
        return out


@final
class LiGR(CausalTransformer):
    """Causal transformer of `LiGRBlock` layers."""

    @staticmethod
    def block(dim: int, heads: int, dropout: float) -> LiGRBlock:
        """Return a new block."""
        return LiGRBlock(dim, heads, dropout)
