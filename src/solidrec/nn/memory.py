"""What the training log and the content say about items, looked up: sparse rows from item to item."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from solidrec.nn.masks import valid


@final
class Memory(nn.Module):
    """Sparse item-to-item rows in K kinds that share their places; a history adds up the rows of its items.

    Entry e of row j, for ``starts[j] <= e < starts[j + 1]``, says how much item j speaks for item ``columns[e] + 1``:
    ``values[e]`` (K,), kind by kind. An item of the history counts ``decay[k]`` to the power of its age, the newest 1.

    `starts` is (V + 2,) with an empty row 0 for padding, `columns` (n,) int32, `values` (n, K), `decay` has K numbers.

    >>> # item 1 speaks for item 2, item 2 for item 1
    >>> memory = Memory(torch.tensor([0, 0, 1, 2]), torch.tensor([1, 0]).int(), torch.tensor([[4.0], [6.0]]), (0.5,))
    >>> memory(torch.tensor([[1, 2]])).tolist()
    [[[6.0, 2.0]]]
    """

    starts: Tensor
    columns: Tensor
    values: Tensor

    def __init__(
        self,
        starts: Int[Tensor, " V2"],
        columns: Int[Tensor, " n"],
        values: Float[Tensor, "n K"],
        decay: tuple[float, ...],
    ) -> None:
        super().__init__()
        for name, tensor in (("starts", starts), ("columns", columns), ("values", values)):
            self.register_buffer(name, tensor)
        self.decay = decay

    def forward(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "K B V"]:
        """Return how much each history speaks for each item 1..V, kind by kind."""
        rows, width = len(history), len(self.starts) - 2
        items = history.flatten()
        begin = self.starts[items]
        count = self.starts[items + 1] - begin
        # every entry of every item's row: the event it belongs to, and its index
        event = torch.repeat_interleave(count)
        entry = (
            torch.arange(len(event), device=event.device) + (begin - count.cumsum(0) + count)[event]
        )
        cell = (
            torch.div(event, history.shape[1], rounding_mode="floor") * width + self.columns[entry]
        )
        age = valid(history).flip(1).cumsum(1).flip(1).flatten() - 1
        found = self.values.new_zeros(len(self.decay), rows * width)
        for kind, decay in enumerate(self.decay):
            weight = decay ** age.clamp(min=0).to(self.values.dtype)
            found[kind].index_add_(0, cell, self.values[entry, kind] * weight[event])
        return found.view(len(self.decay), rows, width)
