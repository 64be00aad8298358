"""Trunk and branch of the authors' released code, to explain published numbers (docs/paper.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch.nn.functional as F
from torch import nn

from solidrec.nn.codebook_loss import shares, square
from solidrec.nn.histories import Histories
from solidrec.nn.sources import Branch, Generated, Source, Trunk, added


@final
class AuthorCode(Source):
    """Trunk plus branch with the consistency term of the released code.

    The term compares the *semantic* history with the codes of the *item* history. The projections
    of both generators are frozen at their random start and the codebook is constant, so the term
    can only move the semantic table.
    """

    def __init__(self, trunk: Trunk, branch: Branch) -> None:
        super().__init__()
        self.trunk, self.branch = trunk, branch
        for generator in (trunk.generator, branch.generator):
            generator.projections.requires_grad_(False)

    def forward(self, histories: Histories) -> Generated:
        """Return trunk + clipped branch and the released consistency term."""
        found = added(self.trunk(histories), self.branch(histories))
        if self.branch.codebook is None:
            return found
        codes = self.branch.codebook.code_vectors.detach()
        read = F.embedding(found.stats["code_indices"].clamp(min=0), codes)
        loss = square(self.trunk.embed(histories.ids), read, shares(histories.weight()))
        return found._replace(codebook_loss=loss)

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts of this source by name."""
        yield from (*self.trunk.parts(), *self.branch.parts())
