"""DIN (Zhou et al., Deep Interest Network for Click-Through Rate Prediction, KDD 2018)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.backbones.base import Backbone
from solidrec.nn.kernels.dropout import Dropout

_ROWS = 128
"""Histories whose pairs with candidates are computed together, so that they fit into the cache."""


@final
class DIN(Backbone):
    """Weigh the items of the history for each candidate; the weighted sum is the state (Eq. 3).

    The activation unit that gives the weights is an MLP with PReLU over item, candidate, their
    difference and their product. The weights are not normalised: their sum is the intensity of the
    interest.
    """

    reads_candidates = True

    def __init__(self, dim: int, *, length: int, dropout: float) -> None:
        super().__init__(dim, length=length, dropout=dropout)
        self.dropout = Dropout(dropout)
        self.from_item = nn.Linear(dim, 2 * dim)
        self.from_candidate = nn.Linear(dim, 2 * dim, bias=False)
        self.from_product = nn.Linear(dim, 2 * dim, bias=False)
        self.unit = nn.Sequential(
            nn.PReLU(), nn.Linear(2 * dim, dim), nn.PReLU(), nn.Linear(dim, 1)
        )

    def forward(
        self,
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        candidates: Float[Tensor, "#B C D"],
    ) -> Float[Tensor, "B C D"]:
        """Return one state per candidate.

        The first layer over [item, candidate, item - candidate, item * candidate] is linear, so the
        four blocks of its matrix act as three: one for the item, one for the candidate and one for
        the product.
        """
        items = self.dropout(items)
        blocks = items.split(_ROWS)
        some = (
            candidates.split(_ROWS) if len(candidates) == len(items) else [candidates] * len(blocks)
        )
        weights = torch.cat([self.weigh(*block) for block in zip(blocks, some, strict=True)])
        return torch.matmul(weights * mask[:, None], items)

    def weigh(
        self, items: Float[Tensor, "B L D"], candidates: Float[Tensor, "#B C D"]
    ) -> Float[Tensor, "B C L"]:
        """Return the weight of each item for each candidate."""
        product = candidates[:, :, None] * items[:, None]
        # Add in place, because this is the largest tensor of a step.
        mixed = self.from_product(product)
        mixed += self.from_item(items)[:, None]
        mixed += self.from_candidate(candidates)[:, :, None]
        weights: Tensor = self.unit(mixed)[..., 0]
        return weights
