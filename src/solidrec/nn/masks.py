"""Masks of histories, which are padded with 0 on the right; no result depends on the padding."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def valid(history: Int[Tensor, "B L"]) -> Bool[Tensor, "B L"]:
    """Return where a history holds an item."""
    return history != 0


def last(mask: Bool[Tensor, "B L"]) -> Int[Tensor, " B"]:
    """Return the index of each row's last item, 0 for an empty history."""
    return (mask.sum(1) - 1).clamp(min=0)


def pick(states: Float[Tensor, "B L D"], index: Int[Tensor, " B"]) -> Float[Tensor, "B 1 D"]:
    """Return one position of each row."""
    return states.gather(1, index[:, None, None].expand(-1, 1, states.shape[2]))


def last_valid(states: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]) -> Float[Tensor, "B D"]:
    """Return the state at each row's last item, zeros for an empty history."""
    return pick(states, last(mask))[:, 0] * mask.any(1)[:, None]


def end_states(
    states: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"], prefix_ends: Int[Tensor, " N"] | None
) -> Float[Tensor, "N D"]:
    """Return the states at `prefix_ends` (flat in (B, L)); without them, those of `last_valid`."""
    if prefix_ends is None:
        return last_valid(states, mask)
    return states.flatten(0, 1).index_select(0, prefix_ends)


def prefix_counts(
    mask: Bool[Tensor, "B L"], prefix_ends: Int[Tensor, " N"] | None
) -> Float[Tensor, "B L"]:
    """Return how many prefixes hold each position; without `prefix_ends`, 1 for every item.

    >>> prefix_counts(torch.ones(1, 3, dtype=torch.bool), torch.tensor([1, 2])).tolist()
    [[2.0, 2.0, 1.0]]
    """
    if prefix_ends is None:
        return mask.float()
    # Mark the ends of prefixes; a position is in every prefix that ends at it or later.
    ending = (
        torch.zeros(mask.shape, device=mask.device)
        .flatten()
        .index_fill_(0, prefix_ends, 1)
        .view(mask.shape)
    )
    return ending.flip(1).cumsum(1).flip(1)


def causal(length: int, device: torch.device) -> Bool[Tensor, "1 L L"]:
    """Return the mask under which each position reads itself and those before it.

    Padding is on the right of every item, so no item reads it. Every position reads itself, so that
    no row of the attention is fully masked (such a row would be NaN).
    """
    return torch.ones(1, length, length, dtype=torch.bool, device=device).tril()
