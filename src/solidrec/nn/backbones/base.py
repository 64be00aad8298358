"""The base classes of backbones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from solidrec.backbone_spec import BackboneSpec
from solidrec.nn.masks import end_states


class Backbone(nn.Module, ABC):
    """Base class of encoders of histories.

    A backbone that `reads_candidates` returns one state per candidate (``#C`` is C). Any other
    returns one state per user (``#C`` is 1), which broadcasts.
    """

    reads_candidates: ClassVar[bool] = False
    """Whether the user state depends on the candidate, as DIN's does."""
    Settings: ClassVar[type[BackboneSpec]] = BackboneSpec
    """The backbone's own settings, which its constructor takes as further keyword arguments."""

    @abstractmethod
    def __init__(self, dim: int, *, length: int, dropout: float) -> None:
        super().__init__()

    @abstractmethod
    def forward(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        candidates: Float[Tensor, "#B C D"],
    ) -> Float[Tensor, "B #C D"]:
        """Return the user states of embedded histories; an empty history has a finite state."""


class CausalBackbone(Backbone):
    """A backbone whose state at a position reads nothing after that position, and no candidate.

    The state after n items is therefore the same whatever follows, and one pass gives the state of
    every prefix.
    """

    @abstractmethod
    def states(
        self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]
    ) -> Float[Tensor, "B L D"]:
        """Return the state at every position; states at padding are finite but meaningless."""

    def states_at(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        prefix_ends: Int[Tensor, " N"] | None,
    ) -> Float[Tensor, "N 1 D"]:
        """Return the states at `prefix_ends` (flat in (B, L)), or else at the last items."""
        return end_states(self.states(items, mask), mask, prefix_ends)[:, None]
