"""The clip of Eq. 12, with a gradient that can bring a saturated weight back."""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor


@final
class InwardClip(torch.autograd.Function):
    """Clip to [-limit, limit]; outside, only a gradient whose step leads back inside passes.

    The value is that of a hard clip. The gradient is that of projected gradient descent: a hard
    clip has none outside, so a weight that once left never returns, and with Adam nearly all of
    them leave (docs/log.md).

    >>> x = torch.tensor([3.0, 3.0, 0.5], requires_grad=True)
    >>> y = InwardClip.apply(x, 1.0)
    >>> y.backward(torch.tensor([1.0, -1.0, 1.0]))
    >>> y.tolist(), x.grad.tolist()
    ([1.0, 1.0, 0.5], [1.0, 0.0, 1.0])
    """

    @staticmethod
    def forward(ctx: Any, x: Float[Tensor, "*N"], limit: float) -> Float[Tensor, "*N"]:
        """Return the clipped values."""
        ctx.save_for_backward(x)
        ctx.limit = limit
        return x.clamp(-limit, limit)

    @staticmethod
    def backward(ctx: Any, gradient: Float[Tensor, "*N"]) -> tuple[Float[Tensor, "*N"], None]:
        """Pass the gradient inside the limits, and outside where a step against it leads back."""
        (x,) = ctx.saved_tensors
        passes = (x.abs() <= ctx.limit) | (gradient * x > 0)
        return gradient.masked_fill(~passes, 0), None
