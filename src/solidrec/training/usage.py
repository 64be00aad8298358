"""Statistics of an epoch about the codebook and the clip."""

from __future__ import annotations

from typing import final

import torch
from torch import Tensor


@final
class CodebookStats:
    """Adds up the stats of an epoch's batches: the mean saturated share, and the uses of each code.

    >>> tally = CodebookStats(codes=3, device="cpu")
    >>> tally.add({"code_indices": torch.tensor([[0, 0, 1, -1]])})
    >>> tally.row()
    {'codes_used': 2, 'codes_dead': 1, 'perplexity': 1.889...}
    """

    def __init__(self, codes: int, device: str) -> None:
        self.hits = torch.zeros(codes, dtype=torch.int64, device=device)
        self.saturated: list[Tensor] = []

    def add(self, stats: dict[str, Tensor]) -> None:
        """Add the stats of one batch."""
        if "saturated" in stats:
            self.saturated.append(stats["saturated"])
        if "code_indices" in stats and len(self.hits):
            chosen = stats["code_indices"].flatten()  # -1 at padding
            self.hits.scatter_add_(0, chosen.clamp(min=0), (chosen >= 0).long())

    def dead(self) -> Tensor:
        """Return the codes (n,) that were never chosen."""
        return (self.hits == 0).nonzero()[:, 0]

    def row(self) -> dict[str, float | int]:
        """Return the values for the epoch's log line."""
        row: dict[str, float | int] = {}
        if self.saturated:
            row["saturated"] = float(torch.stack(self.saturated).mean())
        if len(self.hits):
            # Perplexity is exp of the entropy of the shares of used codes.
            share = self.hits[self.hits > 0].double() / self.hits.sum().clamp(min=1)
            used = int((self.hits > 0).sum())
            row |= {"codes_used": used, "codes_dead": len(self.hits) - used}
            row["perplexity"] = float(torch.exp(-(share * share.log()).sum()))
        return row
