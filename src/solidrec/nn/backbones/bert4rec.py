"""BERT4Rec: a bidirectional transformer with a mask token.

Sun et al., Sequential Recommendation with Bidirectional Encoder Representations, CIKM 2019.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.backbone_spec import TransformerSpec
from solidrec.nn.attention import SelfAttention
from solidrec.nn.backbones.base import Backbone
from solidrec.nn.kernels.dropout import Dropout
from solidrec.nn.masks import pick


@final
class _BERT4RecBlock(nn.Module):
    """Self-attention, then GELU feed_forward, 4 D wide: each norm(x + dropout(f(x))) (Eq. 2-6)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention = SelfAttention(dim, heads, dropout)
        self.norm_attention = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim)
        )
        self.norm_feed_forward = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        query: Float[Tensor, "B N D"],
        x: Float[Tensor, "B M D"],
        attn_mask: Bool[Tensor, "B #N M"],
    ) -> Float[Tensor, "B N D"]:
        """Apply the block at the `query` positions of `x`."""
        query = self.norm_attention(query + self.dropout(self.attention(query, x, attn_mask)))
        out: Tensor = self.norm_feed_forward(query + self.dropout(self.feed_forward(query)))
        return out


@final
class BERT4Rec(Backbone):
    """Bidirectional transformer whose user state is the state of a mask token after the last item.

    The paper predicts the next item this way at test time; here training, with the CTR loss, does
    too.
    """

    Settings = TransformerSpec

    def __init__(self, dim: int, *, length: int, dropout: float, blocks: int, heads: int) -> None:
        super().__init__(dim, length=length, dropout=dropout)
        self.token = nn.Parameter(torch.empty(dim))
        nn.init.normal_(self.token, std=0.1)
        self.position = nn.Embedding(length + 1, dim)
        nn.init.normal_(self.position.weight, std=0.1)
        self.norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(_BERT4RecBlock(dim, heads, dropout) for _ in range(blocks))

    def forward(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        candidates: Float[Tensor, "#B C D"],
    ) -> Float[Tensor, "B 1 D"]:
        """Return the state of the mask token, which reads every item (only itself without items).

        The last block computes the state of this position only.
        """
        lengths = mask.sum(1)
        steps = torch.arange(items.shape[1] + 1, device=items.device)
        # Put the mask token at the first position after the items of each history.
        at = (steps == lengths[:, None])[:, :, None]
        x = torch.where(
            at,
            self.token,
            torch.cat([items, items.new_zeros(items.shape[0], 1, items.shape[2])], 1),
        )
        x = self.dropout(self.norm(x + self.position.weight[: items.shape[1] + 1]))
        # Every position may read the items and the mask token, but no padding.
        attn_mask = (steps <= lengths[:, None])[:, None]
        for block in self.blocks[:-1]:
            x = block(x, x, attn_mask)
        state: Tensor = self.blocks[-1](pick(x, lengths), x, attn_mask)
        return state
