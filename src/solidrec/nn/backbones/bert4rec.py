"""BERT4Rec (Sun et al., Sequential Recommendation with Bidirectional Encoder Representations, CIKM 2019)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.attention import SelfAttention
from solidrec.nn.backbones.base import Backbone


@final
class BERT4RecBlock(nn.Module):
    """Self-attention, then a GELU network of width 4 D: each norm(x + dropout(f(x))) (its Eq. 2-6)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = SelfAttention(dim, heads, dropout)
        self.norm_attention = nn.LayerNorm(dim)
        self.wise = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.norm_wise = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "B M D"], readable: Bool[Tensor, "B 1 1 M"]) -> Float[Tensor, "B M D"]:
        """Apply the block."""
        x = self.norm_attention(x + self.dropout(self.attention(x, readable)))
        out: Tensor = self.norm_wise(x + self.dropout(self.wise(x)))
        return out


@final
class BERT4Rec(Backbone):
    """Bidirectional transformer: a mask token stands right after the last item, and its state is the user state.

    That is how its paper predicts the next item at test time; here it is trained that way too, with the CTR loss.
    """

    def __init__(self, dim: int, *, length: int, blocks: int, heads: int, dropout: float) -> None:
        super().__init__(dim, length=length, blocks=blocks, heads=heads, dropout=dropout)
        self.token = nn.Parameter(torch.empty(dim))
        nn.init.normal_(self.token, std=0.1)
        self.position = nn.Embedding(length + 1, dim)
        nn.init.normal_(self.position.weight, std=0.1)
        self.norm = nn.LayerNorm(dim)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(BERT4RecBlock(dim, heads, dropout) for _ in range(blocks))

    def forward(
        self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"], candidates: Float[Tensor, "#B C D"]
    ) -> Float[Tensor, "B 1 D"]:
        """Return the state of the mask token, which reads every item; an empty history leaves the token alone."""
        lengths = mask.sum(1)
        steps = torch.arange(items.shape[1] + 1, device=items.device)
        at = (steps == lengths[:, None])[:, :, None]
        x = torch.cat([items, items.new_zeros(items.shape[0], 1, items.shape[2])], 1) + at * self.token
        x = self.dropout(self.norm(x + self.position.weight[: items.shape[1] + 1]))
        readable = (steps <= lengths[:, None])[:, None, None]
        for block in self.blocks:
            x = block(x, readable)
        return (x * at).sum(1, keepdim=True)
