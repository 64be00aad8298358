"""GRU4Rec: a recurrent encoder of the history.

Hidasi et al., Session-based Recommendations with Recurrent Neural Networks, ICLR 2016.
"""

from __future__ import annotations

from typing import final

from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.backbones.base import CausalBackbone
from solidrec.nn.kernels.dropout import Dropout


@final
class GRU4Rec(CausalBackbone):
    """One GRU layer; the state after the last item is the user state (zeros without items)."""

    def __init__(self, dim: int, *, length: int, dropout: float) -> None:
        super().__init__(dim, length=length, dropout=dropout)
        self.dropout = Dropout(dropout)
        self.gru = nn.GRU(dim, dim, batch_first=True)

    def forward(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        candidates: Float[Tensor, "#B C D"],
    ) -> Float[Tensor, "B 1 D"]:
        """Return the state at the last item, which never reads the padding on its right."""
        return self.states_at(items, mask, None)

    def states(
        self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]
    ) -> Float[Tensor, "B L D"]:
        """Return the state at every position."""
        states: Tensor = self.gru(self.dropout(items))[0]
        return states
