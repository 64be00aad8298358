"""Forms of the codebook loss l_MSE(E_v, E'_v) of Eq. 13, and gradients through the look-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

_COMMITMENT = 0.25
"""Weight of moving embeddings to codes (van den Oord et al., arXiv 1711.00937, beta)."""


def shares(weight: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
    """Return weights scaled to sum to 1, or zeros if all weights are 0."""
    return weight / weight.sum().clamp(min=1)


def square(
    a: Float[Tensor, "B L D"], b: Float[Tensor, "B L D"], share: Float[Tensor, "B L"]
) -> Float[Tensor, ""]:
    """Return the mean over D of (a - b)^2, summed over the positions by their shares."""
    return ((a - b).square().mean(-1) * share).sum()


def _commitment(
    items: Float[Tensor, "B L D"], read: Float[Tensor, "B L D"], share: Float[Tensor, "B L"]
) -> Float[Tensor, ""]:
    """Return a quarter of |E - sg(E')|^2, which moves embeddings to codes."""
    return _COMMITMENT * square(items, read.detach(), share)


def _pair(
    items: Float[Tensor, "B L D"], read: Float[Tensor, "B L D"], share: Float[Tensor, "B L"]
) -> Float[Tensor, ""]:
    """Return `_commitment` plus |sg(E) - E'|^2, which moves codes (arXiv 1711.00937, Eq. 3)."""
    return _commitment(items, read, share) + square(items.detach(), read, share)


def _nothing(
    items: Float[Tensor, "B L D"], read: Float[Tensor, "B L D"], share: Float[Tensor, "B L"]
) -> Float[Tensor, ""]:
    """Return 0, the loss of codes that never move."""
    return items.new_zeros(())


LOSSES: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "pair": _pair,
    "literal": square,
    "ema": _commitment,
    "constant": _nothing,
}
"""Losses of embeddings E, codes E' (B, L, D) and shares (B, L); *literal* is the MSE of Eq. 13."""


def _straight_through(
    items: Float[Tensor, "*N D"], read: Float[Tensor, "*N D"]
) -> Float[Tensor, "*N D"]:
    """Return `read`, with the gradient passed to `items` unchanged."""
    return items + (read - items).detach()


def _rotation(items: Float[Tensor, "*N D"], read: Float[Tensor, "*N D"]) -> Float[Tensor, "*N D"]:
    """Return `read`, its gradient rotated and scaled (Fifty et al., arXiv 2410.06424, Eq. 4-5)."""
    # Unit vectors of both, and the ratio of their norms, as constants.
    e = F.normalize(items, dim=-1).detach()
    q = F.normalize(read, dim=-1).detach()
    between = F.normalize(e + q, dim=-1)
    norm = items.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    scale = (read.norm(dim=-1, keepdim=True) / norm).detach()
    # A reflection along e + q and one along q rotate e onto q.
    mirrored = items - 2 * between * (between * items).sum(-1, keepdim=True)
    turned: Tensor = scale * (mirrored + 2 * q * (e * items).sum(-1, keepdim=True))
    return turned


GRADIENTS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "straight-through": _straight_through,
    "rotation": _rotation,
}
"""Functions that return the codes read, and pass a gradient to the embeddings replaced."""
