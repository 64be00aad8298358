"""SASRec (Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018)."""

from __future__ import annotations

from typing import final

from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.attention import SelfAttention
from solidrec.nn.backbones.transformer import CausalTransformer
from solidrec.nn.kernels.dropout import Dropout


@final
class _SASRecBlock(nn.Module):
    """Self-attention, then a two-layer feed_forward: each x + dropout(f(norm(x))) (Eq. 4-6)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, dropout)
        self.norm_feed_forward = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, dim), nn.ReLU(), Dropout(dropout), nn.Linear(dim, dim)
        )
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
        query = query + self.dropout(self.attention(normed_query, normed, attn_mask))
        out: Tensor = query + self.dropout(self.feed_forward(self.norm_feed_forward(query)))
        return out


@final
class SASRec(CausalTransformer):
    """Causal transformer of `_SASRecBlock` layers."""

    @staticmethod
    def block(dim: int, heads: int, dropout: float) -> _SASRecBlock:
        """Return a new block."""
        return _SASRecBlock(dim, heads, dropout)
