"""The generator of Eq. 5, which maps a sequence to weights for given slots."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import prod
from typing import final

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from solidrec.nn.kernels.dropout import Dropout
from solidrec.nn.masks import end_states
from solidrec.nn.weights import ProjectedWeights, Slots, bound


class Hypernetwork(nn.Module, ABC):
    """Maps a sequence to weights for given slots (Ha et al., HyperNetworks, ICLR 2017)."""

    @abstractmethod
    def forward(
        self,
        sequence: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        prefix_ends: Int[Tensor, " N"] | None = None,
    ) -> ProjectedWeights:
        """Return the weights at the end of each row, or at `prefix_ends` (flat in (B, L))."""


@final
class Generator(Hypernetwork):
    """A GRU D -> D, an MLP D -> D -> D with tanh on its last valid state, a linear layer per slot.

    The generator starts like a static layer: the projections' weights and biases are drawn as those
    of the layer itself would be. With a `limit`, what the projections give is multiplied by it and
    starts inside [-limit / 2, limit / 2] (the MLP ends in tanh, so |z| < 1 and |z A| < D / (2 D)):
    a clip at `limit` passes every gradient, and a step of Adam is a thousandth of the clip's width
    instead of a tenth. Dropout acts on the sequence, on its last state and on z, because generated
    layers over-fit sooner than shared ones (docs/log.md).
    """

    def __init__(
        self, slots: Slots, dim: int, *, dropout: float = 0.0, limit: float | None = None
    ) -> None:
        super().__init__()
        self.slots = dict(slots)
        self.dropout = Dropout(dropout)
        self.scale = 1.0 if limit is None else limit
        self.encoder = nn.GRU(dim, dim, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Linear(dim, dim), nn.Tanh())
        self.projections = nn.ModuleDict(
            {slot: nn.Linear(dim, prod(shape)) for slot, shape in slots.items()}
        )
        for slot, shape in slots.items():
            self.start(slot, bound(shape), limit)

    def start(self, slot: str, width: float, limit: float | None) -> None:
        """Initialise the projection of one slot."""
        projection = self.projections[slot]
        assert isinstance(projection, nn.Linear)
        if limit is None:
            nn.init.uniform_(projection.weight, -width, width)
            nn.init.uniform_(projection.bias, -width, width)
        else:
            reach = 1 / (2 * projection.in_features)
            nn.init.uniform_(projection.weight, -reach, reach)
            nn.init.zeros_(projection.bias)

    def forward(
        self,
        sequence: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        prefix_ends: Int[Tensor, " N"] | None = None,
    ) -> ProjectedWeights:
        """Return the weights at the end of each row, or at `prefix_ends` (flat in (B, L)).

        The encoder reads from left to right, so one pass serves every prefix. An empty sequence
        gets the weights of a zero state.
        """
        states, _ = self.encoder(self.dropout(sequence))
        z = self.dropout(self.mlp(self.dropout(end_states(states, mask, prefix_ends))))
        return ProjectedWeights(z, self.linears(), self.slots, scale=self.scale)

    def linears(self) -> dict[str, nn.Linear]:
        """Return the projection of each slot."""
        return {
            slot: projection
            for slot, projection in self.projections.items()
            if isinstance(projection, nn.Linear)
        }
