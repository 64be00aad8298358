"""Generators of a mixture's weights beside trunk and branch: deltas that start at zero."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from solidrec.nn.generator import Hypernetwork
from solidrec.nn.histories import Histories
from solidrec.nn.kernels.dropout import Dropout
from solidrec.nn.masks import last_valid
from solidrec.nn.sources import Generated, Source
from solidrec.nn.weights import BuiltWeights, ProjectedWeights, Slots, Weights

_HIDDEN = 32
_DROPPED = 0.2


def _projections(slots: Slots, width: int) -> nn.ModuleDict:
    """Return a linear map for each slot that gives zeros before training."""
    found = nn.ModuleDict({slot: nn.Linear(width, prod(shape)) for slot, shape in slots.items()})
    for parameter in found.parameters():
        nn.init.zeros_(parameter)
    return found


def _linears(modules: nn.ModuleDict) -> Mapping[str, nn.Linear]:
    """Return the linear maps by slot."""
    return {slot: linear for slot, linear in modules.items() if isinstance(linear, nn.Linear)}


@final
class Pooled(Hypernetwork):
    """Generator from a sequence's mean and last vector: 2 D -> 32 -> slots, zero at first."""

    def __init__(self, slots: Slots, dim: int) -> None:
        super().__init__()
        self.slots = dict(slots)
        self.norm = nn.LayerNorm(2 * dim)
        self.hidden = nn.Linear(2 * dim, _HIDDEN)
        self.dropout = Dropout(_DROPPED)
        self.projections = _projections(slots, _HIDDEN)

    def forward(
        self,
        sequence: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        prefix_ends: Int[Tensor, " N"] | None = None,
    ) -> ProjectedWeights:
        """Return the deltas of each sequence; prefixes are not supported."""
        assert prefix_ends is None, "a pooled generator reads whole histories"
        total = (sequence * mask[:, :, None]).sum(1)
        mean = total / mask.sum(1, keepdim=True).clamp(min=1)
        read = self.norm(torch.cat([mean, last_valid(sequence, mask)], 1))
        z = self.dropout(torch.tanh(self.hidden(read)))
        return ProjectedWeights(z, _linears(self.projections), self.slots)


@final
class Reading(nn.Module):
    """Generator from standardised statistics: S -> 32 -> slots, zero at first."""

    center: Tensor
    spread: Tensor

    def __init__(self, slots: Slots, width: int) -> None:
        super().__init__()
        self.slots = dict(slots)
        self.register_buffer("center", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.hidden = nn.Linear(width, _HIDDEN)
        self.dropout = Dropout(_DROPPED)
        self.projections = _projections(slots, _HIDDEN)

    @torch.no_grad()
    def standardise(self, statistics: Float[Tensor, "R S"]) -> None:
        """Set mean and standard deviation to those of the statistics of training rows."""
        self.center.copy_(statistics.mean(0))
        self.spread.copy_(statistics.std(0, correction=0).clamp(min=1e-3))

    def forward(self, statistics: Float[Tensor, "B S"]) -> Weights:
        """Return the deltas of each row."""
        z = self.dropout(torch.tanh(self.hidden((statistics - self.center) / self.spread)))
        return ProjectedWeights(z, _linears(self.projections), self.slots)


@final
class Lengths(Source):
    """Deltas by bucket of history length, shared by all users: 0, 1, 2-3, 4-7, ... items."""

    def __init__(self, slots: Slots, longest: int) -> None:
        super().__init__()
        count = longest.bit_length() + 1
        self.tensors = nn.ParameterDict(
            {slot: nn.Parameter(torch.zeros(count, *shape)) for slot, shape in slots.items()}
        )

    def forward(self, histories: Histories) -> Generated:
        """Return the deltas of each history's bucket."""
        assert histories.prefix_ends is None, "a length is that of a whole history"
        bucket = torch.ceil(torch.log2(histories.mask.sum(1).float() + 1)).long()
        weights = BuiltWeights({slot: tensor[bucket] for slot, tensor in self.tensors.items()})
        return Generated(weights, histories.items.new_zeros(()), {})
