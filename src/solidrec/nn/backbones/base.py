"""What every backbone is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Bool, Float
from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """An encoder of histories.

    A backbone that looks at the candidates returns one state a candidate (``#C`` is C); any other returns one
    state a user (``#C`` is 1) and lets it broadcast.
    """

    @abstractmethod
    def __init__(self, dim: int, *, length: int, blocks: int, heads: int, dropout: float) -> None:
        super().__init__()

    @abstractmethod
    def forward(
        self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"], candidates: Float[Tensor, "#B C D"]
    ) -> Float[Tensor, "B #C D"]:
        """Return the user state(s) of embedded histories; an empty history has a finite state."""
