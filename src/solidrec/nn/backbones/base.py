"""What every backbone is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from solidrec.nn.masks import end_states


class Backbone(nn.Module, ABC):
    """An encoder of histories.

    A backbone that `reads_candidates` returns one state a candidate (``#C`` is C); any other returns one state a user
    (``#C`` is 1) and lets it broadcast.
    """

    reads_candidates: ClassVar[bool] = False
    """Whether the user state depends on the candidate, as DIN's does."""

    @abstractmethod
    def __init__(self, dim: int, *, length: int, blocks: int, heads: int, dropout: float) -> None:
        super().__init__()

    @abstractmethod
    def forward(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        candidates: Float[Tensor, "#B C D"],
    ) -> Float[Tensor, "B #C D"]:
        """Return the user state(s) of embedded histories; an empty history has a finite state."""


class CausalBackbone(Backbone):
    """A backbone whose state at a position reads that position and those before it, and no candidate.

    Then the state after n items is the same whatever follows, and one pass gives every prefix's state.
    """

    @abstractmethod
    def states(
        self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]
    ) -> Float[Tensor, "B L D"]:
        """Return the state at every position; what stands at padded ones is finite and means nothing."""

    def states_at(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        prefix_ends: Int[Tensor, " N"] | None,
    ) -> Float[Tensor, "N 1 D"]:
        """Return the states at `prefix_ends`, indices into B L; without them, one at the last item of each history."""
        return end_states(self.states(items, mask), mask, prefix_ends)[:, None]
