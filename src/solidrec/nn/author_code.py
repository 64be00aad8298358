"""The source as the authors' released code computes it, kept to explain published numbers (see docs/paper.md)."""

from __future__ import annotations

from typing import final

import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from solidrec.nn.codebook import shares, square
from solidrec.nn.masks import reads
from solidrec.nn.sources import Branch, Generated, Source, Trunk


@final
class AuthorCode(Source):
    """Trunk plus branch whose consistency term compares the *semantic* history with the codes of the *item* history.

    Its generators' projections are frozen at their random start and its codebook is constant, so that term can
    only move the semantic table.
    """

    def __init__(self, trunk: Trunk, branch: Branch) -> None:
        super().__init__()
        self.first = trunk
        self.second = branch
        for generator in (trunk.generator, branch.generator):
            generator.projections.requires_grad_(False)

    def forward(
        self,
        history: Int[Tensor, "B L"],
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        places: Int[Tensor, " N"] | None = None,
    ) -> Generated:
        """Return trunk + clipped branch and the released consistency term."""
        a, b = self.first(history, items, mask, places), self.second(history, items, mask, places)
        penalty = b.penalty
        if self.second.codebook is not None:
            found = F.embedding(b.stats["codes"].clamp(min=0), self.second.codebook.codes.detach())
            penalty = square(self.first.embed(history), found, shares(reads(mask, places).to(items.dtype)))
        return Generated(a.weights + b.weights, penalty, {**a.stats, **b.stats})
