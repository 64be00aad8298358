"""Evidence over a large catalogue, kept for the few items that the memories speak of."""

from __future__ import annotations

from typing import Any, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from solidrec.nn.evidence import TOP, Best, Evidence, summarised
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import Experts
from solidrec.nn.semantic_memory import SemanticMemory

SEEDS = 128
"""Items that the neural expert brings, so that what is known holds good items of any history."""
_GROUP = 16
"""Columns of which only the largest is compared at first."""
_SHORTEST = 64 * TOP
"""The shortest row of which `torch.topk` keeps the same ones of equal items as of a longer one."""


@final
class SparseEvidence:
    """The evidence of `experts` for each history, as `Experts` returns it but not for all items.

    ``known`` (B, N) are columns (items less one) in rising order, padded where ``own`` (B, N) is
    false: those of which log or content know something, those most probable to the neural expert,
    and a few more. Of all others, log and content know nothing. ``neural`` (B, V) and ``by_id``
    (B, S + 1), the ratio of each semantic id, are kept whole. ``rows`` (B, 1) are all histories.
    """

    def __init__(self, experts: Experts, history: Int[Tensor, "B L"]) -> None:
        *memories, semantic = experts.memories
        assert isinstance(semantic, SemanticMemory)
        self.experts, self.history, self.id_of_item = experts, history, semantic.first
        self.neural = experts.log_probabilities(history)
        self.by_id = semantic.of_ids(history)
        self.rows = torch.arange(len(history), device=history.device)[:, None]
        self._seeds = largest(self.neural, SEEDS + history.shape[1])
        # The entries of both memories: flat cells b V + i, and values by kind.
        found = [memory.entries(history) for memory in memories if isinstance(memory, Memory)]
        self._marked = self._mark([cell for cell, _ in found])
        self.cells = self._marked.nonzero()[:, 0]
        # The place of each known cell in `_values` (K, n + 1), whose last column is 0.
        count = self.cells.shape[0]
        self._place = torch.empty_like(self._marked, dtype=torch.int32)
        self._place[self.cells] = torch.arange(count, dtype=torch.int32, device=history.device)
        kinds = [(cell, each) for cell, values in found for each in values]
        self._values = self.neural.new_zeros(len(kinds), count + 1)
        for kind, (cell, values) in enumerate(kinds):
            self._values[kind].index_add_(0, self._place[cell], values)
        self._pad()

    def _mark(self, entries: list[Int[Tensor, " _"]]) -> Bool[Tensor, " cells"]:
        """Return which cells are known, flat."""
        width = self.neural.shape[1]
        known = torch.zeros_like(self.neural, dtype=torch.bool)
        known.scatter_(1, self._seeds.columns, 1)
        # The first columns are those among which `topk` chooses where evidence is equal, and the
        # last ones belong to no whole group.
        known[:, : TOP + self.history.shape[1]] = True
        known[:, width - width % _GROUP :] = True
        marked = known.view(-1)
        for cell in entries:
            marked[cell] = True
        return marked

    def _pad(self) -> None:
        """Arrange the known cells in rows: ``slots`` (n,) are their places in ``known``."""
        rows, width = self.neural.shape
        row = torch.div(self.cells, width, rounding_mode="floor")
        counts = torch.bincount(row, minlength=rows)
        # A tensor and no number, because a recording reads it anew each time (`inference.traced`).
        longest: Any = counts.max().clamp(min=_SHORTEST)
        begin = counts.cumsum(0) - counts
        number = torch.arange(self.cells.shape[0], device=counts.device)
        self.slots = row * longest + number - begin[row]
        self.known = torch.zeros((rows, longest), dtype=torch.int64, device=counts.device)
        self.known.view(-1)[self.slots] = self.cells - row * width
        self.own = torch.arange(self.known.shape[1], device=counts.device) < counts[:, None]

    def _placed(self, cell: Int[Tensor, "*N"]) -> Int[Tensor, "*N"]:
        """Return the place of flat cells among the known ones, the last for an unknown one."""
        return torch.where(self._marked[cell], self._place[cell], self._values.shape[1] - 1)

    def at(self, rows: Int[Tensor, "R 1"], columns: Int[Tensor, "R C"]) -> Evidence:
        """Return the evidence of histories `rows` on the items in `columns`."""
        cell = rows * self.neural.shape[1] + columns
        semantic = self.by_id[rows, self.id_of_item[columns + 1]]
        counted = torch.cat([self._values[:, self._placed(cell)], semantic[None]])
        return Evidence(
            self.neural[rows, columns], counted, self.experts.all_counts[:, columns + 1]
        )

    def statistics(self, evidence: Evidence) -> Float[Tensor, "B S"]:
        """Return the `statistics` over the whole catalogue, given the evidence on ``known``."""
        items = self.history - 1
        # Whether each known cell is an item of its history; padding is none.
        cell = self.rows * self.neural.shape[1] + items.clamp(min=0)
        place = torch.where(items < 0, self._values.shape[1] - 1, self._placed(cell))
        had = torch.zeros_like(self._values[0], dtype=torch.bool)
        had[place] = True
        left = self.own.clone()
        left.view(-1)[self.slots] = ~had[:-1]
        # The ten best of the neural expert, then of each kind, without items of the history.
        values, columns = self._seeds
        again = (columns[:, :, None] == items[:, None]).any(2)
        values, places = values.masked_fill(again, -torch.inf).topk(TOP)
        best = [Best(values, columns.gather(1, places))]
        for each in evidence.counted[: len(self._values)]:
            values, places = torch.where(left, each, -torch.inf).topk(TOP, sorted=False)
            best.append(Best(values, self.known.gather(1, places)))
        totals = [(evidence.counted[kind] * self.own).sum(1) for kind in range(2)]
        return summarised(
            self.neural, best, totals, history=self.history, count_of_item=self.experts.counts
        )


def groups(scores: Float[Tensor, "B V"]) -> Float[Tensor, "B G"]:
    """Return the largest of each group of 16 scores; the last V % 16 belong to none.

    There are G = V // 16 groups; group g has columns g, g + G, g + 2 G, ..., which is fast to read.
    """
    count = scores.shape[1] // _GROUP
    return torch.amax(scores[:, : count * _GROUP].unflatten(1, (_GROUP, count)), 1)


def members(group: Int[Tensor, "*N"], width: int) -> Int[Tensor, "*N 16"]:
    """Return the columns of groups of `width` scores, as `groups` makes them."""
    count = width // _GROUP
    return group[..., None] + count * torch.arange(_GROUP, device=group.device)


def largest(scores: Float[Tensor, "B V"], k: int) -> Best:
    """Return the `k` largest scores of each row and their columns, largest first.

    Only members of the k groups with the largest maxima can be among them. With fewer groups than
    k, all scores are compared.

    >>> scores = torch.arange(64.0)[None] % 50
    >>> largest(scores, 3).columns.tolist()
    [[49, 48, 47]]
    """
    width = scores.shape[1]
    if k > width // _GROUP:
        return Best(*scores.topk(min(k, width)))
    columns = members(groups(scores).topk(k, sorted=False).indices, width).flatten(1)
    rest = torch.arange(width - width % _GROUP, width, device=scores.device)
    columns = torch.cat([columns, rest.expand(len(scores), -1)], 1)
    values, places = scores.gather(1, columns).topk(k)
    return Best(values, columns.gather(1, places))
