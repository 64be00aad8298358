"""The base class of the causal transformers, which differ only in their blocks."""

from __future__ import annotations

from abc import abstractmethod

from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.backbone_spec import TransformerSpec
from solidrec.nn.backbones.base import CausalBackbone
from solidrec.nn.kernels.dropout import Dropout
from solidrec.nn.masks import causal, last, pick


class CausalTransformer(CausalBackbone):
    """Causal transformer whose user state is the state of the last item.

    Position 0 is the oldest item of the window. A block maps (query positions, all positions,
    attn_mask) to new states of the query positions.
    """

    Settings = TransformerSpec

    def __init__(self, dim: int, *, length: int, dropout: float, blocks: int, heads: int) -> None:
        super().__init__(dim, length=length, dropout=dropout)
        self.scale = dim**0.5
        self.position = nn.Embedding(length, dim)
        nn.init.normal_(self.position.weight, std=0.1)
        self.dropout = Dropout(dropout)
        self.blocks = nn.ModuleList(self.block(dim, heads, dropout) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)

    @staticmethod
    @abstractmethod
    def block(dim: int, heads: int, dropout: float) -> nn.Module:
        """Return a new block."""

    def forward(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        candidates: Float[Tensor, "#B C D"],
    ) -> Float[Tensor, "B 1 D"]:
        """Return the state at the last item; the causal mask hides the padding on its right.

        The last block computes the state of this position only.
        """
        x = self.lower(items)
        # An empty history attends to padding, so that no softmax is empty; its state becomes zero.
        some = mask.any(1)[:, None, None]
        state: Tensor = self.norm(self.blocks[-1](pick(x, last(mask)), x, mask[:, None] | ~some))
        return state * some

    def states(
        self, items: Float[Tensor, "B L D"], mask: Bool[Tensor, "B L"]
    ) -> Float[Tensor, "B L D"]:
        """Return the state at every position."""
        x = self.lower(items)
        states: Tensor = self.norm(self.blocks[-1](x, x, causal(x.shape[1], x.device)))
        return states

    def lower(self, items: Float[Tensor, "B L D"]) -> Float[Tensor, "B L D"]:
        """Return the states that the last block reads."""
        x: Tensor = self.dropout(items * self.scale + self.position.weight[: items.shape[1]])
        attn_mask = causal(items.shape[1], items.device)
        for block in self.blocks[:-1]:
            x = block(x, x, attn_mask)
        return x
