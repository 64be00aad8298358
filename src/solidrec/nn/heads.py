"""Heads: the dynamic layers of Eq. 5 and 6, which declare as slots the tensors that they need."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from solidrec.nn.weights import Slots, Weights, bound


class Head(nn.Module, ABC):
    """Base class of the layers between the user state and the dot product with the target."""

    slots: Slots

    @abstractmethod
    def forward(self, state: Float[Tensor, "B #C D"], weights: Weights) -> Float[Tensor, "B #C D"]:
        """Map user states with the weights that a source provides."""


@final
class DotHead(Head):
    """No layers and no slots: the user state meets items as it is, as in SASRec (ICDM 2018, Eq. 7).

    >>> DotHead().slots
    {}
    """

    def __init__(self) -> None:
        super().__init__()
        self.slots = {}

    def forward(self, state: Float[Tensor, "B #C D"], weights: Weights) -> Float[Tensor, "B #C D"]:
        """Return the state unchanged."""
        return state


@final
class FullHead(Head):
    """Two layers whose matrices and biases are all slots (DUET, arXiv 2209.05227).

    >>> sorted(FullHead(4).slots)
    ['bias0', 'bias1', 'weight0', 'weight1']
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.slots = {
            "weight0": (dim, dim),
            "bias0": (dim,),
            "weight1": (dim, dim),
            "bias1": (dim,),
        }

    def forward(self, state: Float[Tensor, "B #C D"], weights: Weights) -> Float[Tensor, "B #C D"]:
        """Return relu(x W0 + b0) W1 + b1."""
        hidden = F.relu(weights.shift("bias0", weights.apply("weight0", state)))
        return weights.shift("bias1", weights.apply("weight1", hidden))


@final
class LowRankHead(Head):
    """Two layers x U S V + b whose slots are the K x K cores S (APG, arXiv 2203.16218, Eq. 4)."""

    def __init__(self, dim: int, core: int) -> None:
        super().__init__()
        self.slots = {"core0": (core, core), "core1": (core, core)}
        self.left = nn.ParameterList(nn.Parameter(torch.empty(dim, core)) for _ in range(2))
        self.right = nn.ParameterList(nn.Parameter(torch.empty(core, dim)) for _ in range(2))
        self.bias = nn.ParameterList(nn.Parameter(torch.empty(dim)) for _ in range(2))
        for parameter in self.parameters():
            nn.init.uniform_(
                parameter, -bound(tuple(parameter.shape)), bound(tuple(parameter.shape))
            )

    def forward(self, state: Float[Tensor, "B #C D"], weights: Weights) -> Float[Tensor, "B #C D"]:
        """Return the two layers x U S V + b with a relu between them."""
        return self.layer(1, F.relu(self.layer(0, state, weights)), weights)

    def layer(
        self, index: int, x: Float[Tensor, "B #C D"], weights: Weights
    ) -> Float[Tensor, "B #C D"]:
        """Return x U S V + b of one layer."""
        out: Tensor = (
            weights.apply(f"core{index}", x @ self.left[index]) @ self.right[index]
            + self.bias[index]
        )
        return out
