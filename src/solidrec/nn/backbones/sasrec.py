"""SASRec (Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018)."""

from __future__ import annotations

from typing import final

from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.attention import SelfAttention
from solidrec.nn.backbones.base import Backbone
from solidrec.nn.masks import causal, last_valid


@final
class SASRecBlock(nn.Module):
    """Causal self-attention, then a point-wise two-layer network: each x + dropout(f(norm(x))) (its Eq. 4-6)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, dropout)
        self.norm_wise = nn.LayerNorm(dim)
        self.wise = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Dropout(dropout), nn.Linear(dim, dim))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "B L D"], readable: Bool[Tensor, "B 1 L L"]) -> Float[Tensor, "B L D"]:
        """Apply the block."""
        x = x + self.dropout(self.attention(self.norm_attention(x), readable))
        return x + self.dropout(self.wise(self.norm_wise(x)))


@final
class SASRec(Backbone):
    """Causal transformer; position 0 is the oldest item of the window, the state of the last item is the user state."""

    def __init__(self, dim: int, *, length: int, blocks: int, heads: int, dropout: float) -> None:
        super().__init__(dim, length=length, blocks=blocks, heads=heads, dropout=dropout)
        self.scale = dim**0.5
        self.position = nn.Embedding(length, dim)
        nn.init.normal_(self.position.weight, std=0.1)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(SASRecBlock(dim, heads, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"], candidates: Float[Tensor, "#B C D"]
    ) -> Float[Tensor, "B 1 D"]:
        """Return the state at the last item; padding on the right is behind the causal mask."""
        x = self.dropout(items * self.scale + self.position.weight[: items.shape[1]])
        readable = causal(mask)
        for block in self.blocks:
            x = block(x, readable)
        return last_valid(self.norm(x), mask)[:, None]
