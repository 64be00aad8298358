"""One multi-head attention for the two transformer backbones."""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.dropout import Dropout

LONG = 32
"""Positions beyond which torch's fused attention, which knows no dropout on a CPU, is faster than three products."""


@final
class SelfAttention(nn.Module):
    """Scaled dot-product self-attention with `heads` heads, D -> D (Vaswani et al., 2017, Eq. 1)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = Dropout(dropout)
        self.project = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(
        self, asking: Float[Tensor, "B M D"], x: Float[Tensor, "B L D"], readable: Bool[Tensor, "#B #M L"]
    ) -> Float[Tensor, "B M D"]:
        """Attend from the `asking` positions (all of them, or the one that is wanted) to what `readable` allows of `x`."""
        query, key, value = self.queries_keys_values(asking, x)
        if x.shape[1] > LONG and not (self.training and self.dropout.dropped):
            q, k, v = (part.unflatten(0, (-1, self.heads)) for part in (query, key, value))
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=readable[:, None])
        else:
            mixed = self.mix(query, key, value, readable).unflatten(0, (-1, self.heads))
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def mix(
        self,
        query: Float[Tensor, "BH M K"],
        key: Float[Tensor, "BH L K"],
        value: Float[Tensor, "BH L K"],
        readable: Bool[Tensor, "#B #M L"],
    ) -> Float[Tensor, "BH M K"]:
        """Return the mixed values, by head: for short histories, and for any with dropout of the shares.

        Keys stand in the rows: the softmax down a column is several times faster than along a row as short as a history.
        """
        allowed = query.new_zeros(readable.shape).masked_fill_(~readable, -torch.inf).transpose(1, 2)
        allowed = allowed.repeat_interleave(self.heads, 0) if len(readable) > 1 else allowed.expand(len(query), -1, -1)
        logits = torch.baddbmm(allowed, key, query.transpose(1, 2), alpha=query.shape[-1] ** -0.5)
        return torch.bmm(self.dropout(logits.softmax(1)).transpose(1, 2), value)

    def queries_keys_values(
        self, asking: Float[Tensor, "B M D"], x: Float[Tensor, "B L D"]
    ) -> tuple[Float[Tensor, "BH M K"], Float[Tensor, "BH L K"], Float[Tensor, "BH L K"]]:
        """Return the three projections by head; in one product and one copy when every position asks."""
        if asking is x:
            query, key, value = self.by_head(self.project(x), 3)
            return query, key, value
        dim = x.shape[2]
        (query,) = self.by_head(F.linear(asking, self.project.weight[:dim], self.project.bias[:dim]), 1)
        key, value = self.by_head(F.linear(x, self.project.weight[dim:], self.project.bias[dim:]), 2)
        return query, key, value

    def by_head(self, x: Float[Tensor, "B N ND"], parts: int) -> tuple[Float[Tensor, "BH N K"], ...]:
        """Split the width into parts and heads."""
        split = x.unflatten(2, (parts, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return tuple(split.flatten(1, 2).unbind(0))
