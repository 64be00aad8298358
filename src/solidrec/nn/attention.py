"""One multi-head attention for the two transformer backbones."""

from __future__ import annotations

from typing import final

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn


@final
class SelfAttention(nn.Module):
    """Scaled dot-product self-attention with `heads` heads, D -> D (Vaswani et al., 2017, Eq. 1)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.project = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Float[Tensor, "B L D"], readable: Bool[Tensor, "B 1 #L L"]) -> Float[Tensor, "B L D"]:
        """Attend from every position to the positions that `readable` allows."""
        split = self.project(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=readable, dropout_p=dropout)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out
