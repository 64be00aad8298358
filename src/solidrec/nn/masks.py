"""Padding: histories are padded with 0 on the right, and nothing may depend on how far."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def valid(history: Int[Tensor, "B L"]) -> Bool[Tensor, "B L"]:
    """Return where a history holds an item."""
    return history != 0


def last_valid(states: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]) -> Float[Tensor, "B D"]:
    """Return the state at each row's last item, zeros for an empty history."""
    return pick(states, last(mask))[:, 0] * mask.any(1)[:, None]


def last(mask: Bool[Tensor, "B L"]) -> Int[Tensor, " B"]:
    """Return the index of each row's last item, 0 for an empty history."""
    return (mask.sum(1) - 1).clamp(min=0)


def pick(states: Float[Tensor, "B L D"], index: Int[Tensor, " B"]) -> Float[Tensor, "B 1 D"]:
    """Return one position of each row."""
    return states.gather(1, index[:, None, None].expand(-1, 1, states.shape[2]))


def causal(mask: Bool[Tensor, "B L"]) -> Bool[Tensor, "B 1 L L"]:
    """Return which positions each position may read: itself and the valid ones before it.

    A padded position reads itself too, so that no row of the attention is fully masked (that row would be NaN).
    """
    length = mask.shape[1]
    steps = torch.arange(length, device=mask.device)
    earlier = steps[:, None] >= steps[None, :]
    itself = steps[:, None] == steps[None, :]
    return ((mask[:, None, :] & earlier) | itself)[:, None]
