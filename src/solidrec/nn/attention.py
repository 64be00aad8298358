"""One multi-head attention for the two transformer backbones."""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.dropout import Dropout


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
        self, asking: Float[Tensor, "B M D"], x: Float[Tensor, "B L D"], readable: Bool[Tensor, "B 1 #M L"]
    ) -> Float[Tensor, "B M D"]:
        """Attend from the `asking` positions (all of them, or the one that is wanted) to what `readable` allows of `x`."""
        dim = x.shape[2]
        query = self.by_head(F.linear(asking, self.project.weight[:dim], self.project.bias[:dim]))
        key, value = F.linear(x, self.project.weight[dim:], self.project.bias[dim:]).chunk(2, dim=2)
        logits = query @ self.by_head(key).transpose(2, 3) / query.shape[-1] ** 0.5
        shares = self.dropout(logits.masked_fill(~readable, -torch.inf).softmax(-1))
        out: Tensor = self.out((shares @ self.by_head(value)).transpose(1, 2).flatten(2))
        return out

    def by_head(self, x: Float[Tensor, "B N D"]) -> Float[Tensor, "B H N K"]:
        """Split the width into heads."""
        split: Tensor = x.unflatten(2, (self.heads, -1))
        return split.transpose(1, 2)
