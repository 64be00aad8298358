"""Memories of the training log and of content: sparse rows of evidence from item to item."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from solidrec.nn.masks import valid


@final
class Memory(nn.Module):
    """Sparse item-to-item rows of K kinds that share their places; a history sums its items' rows.

    Entry e of row j, for ``starts[j] <= e < starts[j + 1]``, is the evidence of item j for item
    ``columns[e] + 1``: ``values[e]`` (K,), one number per kind. An item of the history is weighted
    by ``decay[k]`` to the power of its age; the newest item has age 0.

    `starts` is (V + 2,) with an empty row 0 for padding, `columns` (n,) int32, `values` (n, K),
    `decay` has K numbers.

    >>> # item 1 is evidence for item 2, item 2 for item 1
    >>> starts, columns = torch.tensor([0, 0, 1, 2]), torch.tensor([1, 0]).int()
    >>> memory = Memory(starts, columns, torch.tensor([[4.0], [6.0]]), (0.5,))
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
        """Return the evidence of each history for each item 1..V, by kind."""
        rows, width = len(history), len(self.starts) - 2
        cell, values = self.entries(history)
        found = self.values.new_zeros(len(self.decay), rows * width)
        for kind in range(len(self.decay)):
            found[kind].index_add_(0, cell, values[kind])
        return found.view(len(self.decay), rows, width)

    def entries(
        self, history: Int[Tensor, "B L"]
    ) -> tuple[Int[Tensor, " m"], list[Float[Tensor, " m"]]]:
        """Return what the items of each history say, before it is summed.

        The flat cell b V + i of history b and item i + 1 of each entry, and its value by kind.
        """
        width = len(self.starts) - 2
        items = history.flatten()
        # Where the row of each item begins, and how many entries it has.
        begin = self.starts[items]
        count = self.starts[items + 1] - begin
        # All entries of all rows, flat: the event (of B L) that each belongs to, and its index.
        event = torch.repeat_interleave(count)
        # Numbered by `shape`, which a recording reads anew each time (`inference.traced`).
        number = torch.arange(event.shape[0], device=event.device)
        entry = number + (begin - count.cumsum(0) + count)[event]
        # The flat place (history, item) in the result that an entry adds to.
        cell = (
            torch.div(event, history.shape[1], rounding_mode="floor") * width + self.columns[entry]
        )
        # The age of each event: the number of items after it in its history.
        age = valid(history).flip(1).cumsum(1).flip(1).flatten() - 1
        values = []
        for kind, decay in enumerate(self.decay):
            weight = decay ** age.clamp(min=0).to(self.values.dtype)
            values.append(self.values[entry, kind] * weight[event])
        return cell, values
