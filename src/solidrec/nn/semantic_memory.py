"""Memory of semantic histories: which semantic ids come after which, whatever the items."""

from __future__ import annotations

from typing import final

import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from solidrec.nn.masks import valid


@final
class SemanticMemory(nn.Module):
    """Ratio of how often items of a semantic id follow a semantic history, relative to any history.

    The ratio is 1 without evidence. `ratio` (S + 1, S + 1) is that of one id after
    another, with padding in row 0 and column 0. A history takes the mean over its items, each
    weighed by `decay` to the power of its age. `semantic_of_item` is (V + 1,), or (V + 1, levels),
    of which the first level is used.

    >>> import torch
    >>> # items 1 and 2 have id 1, item 3 has id 2; id 2 comes twice as often after id 1
    >>> ratio = torch.tensor([[0.0, 0.0, 0.0], [0.0, 1.0, 2.0], [0.0, 0.5, 1.0]])
    >>> SemanticMemory(torch.tensor([0, 1, 1, 2]), ratio, 0.5)(torch.tensor([[1, 0]])).tolist()
    [[[1.0, 1.0, 2.0]]]
    """

    semantic_of_item: Tensor
    ratio: Tensor

    def __init__(
        self,
        semantic_of_item: Int[Tensor, "V1 *levels"],
        ratio: Float[Tensor, "S1 S1"],
        decay: float,
    ) -> None:
        super().__init__()
        self.register_buffer("semantic_of_item", semantic_of_item)
        self.register_buffer("ratio", ratio)
        self.decay = decay

    def forward(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "1 B V"]:
        """Return the ratio of each history for items 1..V; 0 for an empty history."""
        return self.of_ids(history).index_select(1, self.first[1:])[None]

    @property
    def first(self) -> Int[Tensor, " V1"]:
        """The first level of each item's semantic id."""
        return self.semantic_of_item.view(len(self.semantic_of_item), -1)[:, 0]

    def of_ids(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "B S1"]:
        """Return the ratio of each history for the semantic ids 1..S, with padding in column 0."""
        mask = valid(history)
        # The age of each item: the number of items after it.
        age = mask.flip(1).cumsum(1).flip(1) - 1
        weight = self.decay ** age.clamp(min=0).to(self.ratio.dtype) * mask
        weight = weight / weight.sum(1, keepdim=True).clamp(min=1e-12)
        # The weight of each semantic id in a history, (B, S + 1).
        shares = self.ratio.new_zeros(len(history), len(self.ratio)).scatter_add(
            1, F.embedding(history, self.first[:, None])[..., 0], weight
        )
        return shares @ self.ratio
