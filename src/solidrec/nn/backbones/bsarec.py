"""BSARec: self-attention mixed with a low-pass filter of the history.

Shin et al., An Attentive Inductive Bias for Sequential Recommendation beyond the Self-Attention,
AAAI 2024.
"""

from __future__ import annotations

import math
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.backbone_spec import TransformerSpec
from solidrec.nn.attention import SelfAttention
from solidrec.nn.backbones.base import Backbone
from solidrec.nn.kernels.dropout import Dropout
from solidrec.nn.masks import causal, last, pick

_LOW = 2
"""Low frequencies beside the constant: the paper's c = 5 keeps the first 1 + c // 2."""
_SHARE = 0.7
"""Share of the filter beside self-attention, the paper's alpha (c and alpha as for Beauty)."""


def fourier(
    mask: Bool[Tensor, "B L"], dtype: torch.dtype = torch.float32
) -> Float[Tensor, "B L F"]:
    """Return an orthonormal basis Q of the mean and lowest frequencies of each history, F = 5.

    Q Q^T of history b is the low-pass filter over the items of that history alone. It is zero at
    padding, so padding changes nothing. A history of n items has frequencies up to n / 2; columns
    of higher frequencies are zero.

    >>> basis = fourier(torch.tensor([[True, True, False]]))[0]
    >>> # two items have only two frequencies
    >>> (basis @ basis.T @ torch.tensor([5.0, 1.0, 9.0])).round(decimals=3).tolist()
    [5.0, 1.0, 0.0]
    """
    count = mask.sum(1)[:, None, None]
    step = torch.arange(mask.shape[1], device=mask.device)[:, None]
    frequency = torch.arange(1, _LOW + 1, device=mask.device)
    # The angle of each position at each frequency, (B, L, LOW).
    turn = 2 * math.pi * (step * frequency).to(dtype) / count.clamp(min=1)
    # The highest frequency of an even count alternates: it has no sine, and its cosine has the norm
    # of the mean. Other waves are scaled by sqrt(2), and frequencies above n / 2 are set to zero.
    below = (2 * frequency < count).to(dtype)
    size = (1 + below).sqrt() * (2 * frequency <= count)
    waves = torch.cat(
        [torch.ones_like(turn[..., :1]), size * turn.cos(), size * below * turn.sin()], 2
    )
    return waves * mask[:, :, None] / count.clamp(min=1).to(dtype).sqrt()


@final
class _BSARecBlock(nn.Module):
    """Filter and self-attention, added as .7 to .3, then a GELU feed_forward of width 4 D.

    Each of the three maps f is applied as norm(x + dropout(f(x))).
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        # The square is the paper's beta, the weight of high frequencies.
        self.sharpness = nn.Parameter(torch.randn(dim))
        self.norm_filter = nn.LayerNorm(dim)
        self.attention = SelfAttention(dim, heads, dropout)
        self.norm_attention = nn.LayerNorm(dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim)
        )
        self.norm_feed_forward = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        query: Float[Tensor, "B M D"],
        x: Float[Tensor, "B L D"],
        *,
        attn_mask: Bool[Tensor, "#B M L"],
        query_basis: Float[Tensor, "B M F"],
        basis: Float[Tensor, "B L F"],
    ) -> Float[Tensor, "B M D"]:
        """Apply the block at the `query` positions of `x`, given the `fourier` basis of both."""
        # The low frequencies of the history, at the query positions.
        slow = query_basis @ (basis.transpose(1, 2) @ x)
        filtered = self.norm_filter(
            query + self.dropout(slow + self.sharpness.square() * (query - slow))
        )
        attended = self.norm_attention(query + self.dropout(self.attention(query, x, attn_mask)))
        mixed = _SHARE * filtered + (1 - _SHARE) * attended
        out: Tensor = self.norm_feed_forward(mixed + self.dropout(self.feed_forward(mixed)))
        return out


@final
class BSARec(Backbone):
    """Transformer of attention and frequency filters; the last item's state is the user state.

    A filter reads the whole history at every position, so the state at a position is not that of
    the history up to it, and each training target needs a pass of its own. Positions count from the
    newest item (0), whatever the length of the history.
    """

    Settings = TransformerSpec

    def __init__(self, dim: int, *, length: int, dropout: float, blocks: int, heads: int) -> None:
        super().__init__(dim, length=length, dropout=dropout)
        self.position = nn.Embedding(length, dim)
        nn.init.normal_(self.position.weight, std=0.1)
        self.norm = nn.LayerNorm(dim)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(_BSARecBlock(dim, heads, dropout) for _ in range(blocks))

    def forward(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        candidates: Float[Tensor, "#B C D"],
    ) -> Float[Tensor, "B 1 D"]:
        """Return the state at the last item; the last block computes only that position."""
        newest = last(mask)
        # Positions count back from the newest item.
        age = (newest[:, None] - torch.arange(items.shape[1], device=items.device)).clamp(min=0)
        x = self.dropout(self.norm(items + self.position(age)))
        basis = fourier(mask, items.dtype)
        attn_mask = causal(items.shape[1], items.device)
        for block in self.blocks[:-1]:
            x = block(x, x, attn_mask=attn_mask, query_basis=basis, basis=basis)
        # An empty history attends to padding, so that no softmax is empty; its state becomes zero.
        some = mask.any(1)[:, None, None]
        state: Tensor = self.blocks[-1](
            pick(x, newest),
            x,
            attn_mask=mask[:, None] | ~some,
            query_basis=pick(basis, newest),
            basis=basis,
        )
        return state * some
