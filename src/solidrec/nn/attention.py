"""Multi-head self-attention, shared by all transformer backbones."""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.errors import UsageError
from solidrec.nn.kernels.dropout import Dropout

_LONG = 32
"""Length above which torch's fused attention is faster; on a CPU it has no dropout."""


@final
class SelfAttention(nn.Module):
    """Scaled dot-product self-attention, `heads` heads, D -> D (Vaswani et al., 2017, Eq. 1)."""

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        if dim % heads:
            raise UsageError(
                f"model.dim={dim} is not a multiple of model.backbone.heads={heads}; "
                "change one of them"
            )
        self.heads = heads
        self.dropout = Dropout(dropout)
        self.qkv_proj = nn.Linear(dim, 3 * dim)
        self.out_proj = nn.Linear(dim, dim)

    def forward(
        self,
        query: Float[Tensor, "B M D"],
        x: Float[Tensor, "B L D"],
        attn_mask: Bool[Tensor, "#B #M L"],
    ) -> Float[Tensor, "B M D"]:
        """Attend from `query` positions (all of `x`, or one) to those of `x` in `attn_mask`."""
        q, k, v = self.project(query, x)
        if x.shape[1] > _LONG and not (self.training and self.dropout.dropped):
            q, k, v = (part.unflatten(0, (-1, self.heads)) for part in (q, k, v))
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=attn_mask[:, None])
        else:
            mixed = self.mix(q, k, v, attn_mask).unflatten(0, (-1, self.heads))
        out: Tensor = self.out_proj(mixed.transpose(1, 2).flatten(2))
        return out

    def mix(
        self,
        q: Float[Tensor, "BH M K"],
        k: Float[Tensor, "BH L K"],
        v: Float[Tensor, "BH L K"],
        attn_mask: Bool[Tensor, "#B #M L"],
    ) -> Float[Tensor, "BH M K"]:
        """Return the attention-weighted values per head, by explicit matrix products.

        This path serves short histories, and any history with dropout on the attention shares. The
        logits have one row per key, because on short histories a softmax over columns is several
        times faster than one over rows.
        """
        # Additive mask (#B, L, #M): 0 where attention is allowed, -inf elsewhere.
        allowed = q.new_zeros(attn_mask.shape).masked_fill_(~attn_mask, -torch.inf).transpose(1, 2)
        # One mask per history and head; a mask that all histories share is not copied.
        if len(attn_mask) > 1:
            allowed = allowed.repeat_interleave(self.heads, 0)
        else:
            allowed = allowed.expand(len(q), -1, -1)
        logits = torch.baddbmm(allowed, k, q.transpose(1, 2), alpha=q.shape[-1] ** -0.5)
        return torch.bmm(self.dropout(logits.softmax(1)).transpose(1, 2), v)

    def project(
        self, query: Float[Tensor, "B M D"], x: Float[Tensor, "B L D"]
    ) -> tuple[Float[Tensor, "BH M K"], Float[Tensor, "BH L K"], Float[Tensor, "BH L K"]]:
        """Return queries, keys and values per head, by one product if all positions are queries."""
        if query is x:
            q, k, v = self.by_head(self.qkv_proj(x), 3)
            return q, k, v
        # The first D rows of the joint projection make queries, the rest keys and values.
        weight, bias, dim = self.qkv_proj.weight, self.qkv_proj.bias, x.shape[2]
        (q,) = self.by_head(F.linear(query, weight[:dim], bias[:dim]), 1)
        k, v = self.by_head(F.linear(x, weight[dim:], bias[dim:]), 2)
        return q, k, v

    def by_head(
        self, x: Float[Tensor, "B N ND"], parts: int
    ) -> tuple[Float[Tensor, "BH N K"], ...]:
        """Split the width into `parts` tensors, and heads into the batch dimension."""
        split = x.unflatten(2, (parts, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return tuple(split.flatten(1, 2).unbind(0))
