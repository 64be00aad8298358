"""Evidence of several kinds for the next item, and statistics of it that a gate may read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from solidrec.nn.masks import last, valid

KINDS = ("forward", "symmetric", "content", "semantic")
"""Kinds of counted evidence: items that follow, co-occur or are alike, and next semantic ids."""
EXPERTS = ("neural", *KINDS, "popularity")
"""The experts that every mixture weighs."""
RECENT = "recency"
"""One more expert for data split by time: popularity at the end of training."""
TOP = 10
"""Items of an expert that are its best."""
_SCALE = 0.05
"""Scale k of counted evidence x in a statistic log(1 + x / k)."""
PAIRED = 4
"""Number of experts whose ten best items are compared; semantic ids have no ten best."""
STATISTICS = 3 + 3 + 2 * (PAIRED - 1) + 2 + PAIRED * (PAIRED - 1) // 2
"""Number of statistics per history."""


class Evidence(NamedTuple):
    """The evidence of each expert for some candidates, before it is weighed.

    ``neural`` (B, C) are log-probabilities, ``counted`` (K, B, C) sums that are 0 where nothing is
    known, and ``counts`` (P, B or 1, C) how often an item occurs in training and, where P is 2, at
    the end of training.
    """

    neural: Float[Tensor, "B C"]
    counted: Float[Tensor, "K B C"]
    counts: Float[Tensor, "P #B C"]

    def rows(self, part: slice) -> Evidence:
        """Return the evidence for some of the histories."""
        # Counts with one row hold for all histories.
        counts = self.counts if self.counts.shape[1] == 1 else self.counts[:, part]
        return Evidence(self.neural[part], self.counted[:, part], counts)


class Best(NamedTuple):
    """The best items of an expert for each history: ``values`` (B, k), and their ``columns``."""

    values: Float[Tensor, "B k"]
    columns: Int[Tensor, "B k"]


def statistics(
    evidence: Evidence, history: Int[Tensor, "B L"], count_of_item: Float[Tensor, " V1"]
) -> Float[Tensor, "B S"]:
    """Return statistics of the evidence over the whole catalogue, for each history.

    In order: log length of the history; mean log count of its items, and of the last one; largest
    log-probability, mean of the ten largest, entropy; for each counted kind, the largest value and
    the mean of the ten largest; the sums of the first two kinds; and the shares of the ten best
    that two experts have in common. The ten best exclude items of the history. Semantic ids are
    left out, because items with one id are alike. Counted values enter as log(1 + x / k).
    """
    scores = (evidence.neural, *evidence.counted)[:PAIRED]
    k = min(TOP, evidence.neural.shape[1])
    best = [Best(*torch.topk(_without(each, history), k, sorted=False)) for each in scores]
    totals = [evidence.counted[kind].sum(1) for kind in range(2)]
    return summarised(evidence.neural, best, totals, history=history, count_of_item=count_of_item)


def summarised(
    neural: Float[Tensor, "B V"],
    best: Sequence[Best],
    totals: Sequence[Float[Tensor, " B"]],
    *,
    history: Int[Tensor, "B L"],
    count_of_item: Float[Tensor, " V1"],
) -> Float[Tensor, "B S"]:
    """Return `statistics`, given the ten best of four experts and the sums of two kinds."""
    mask = valid(history)
    length = mask.sum(1)
    popular = torch.log1p(count_of_item[history]) * mask
    newest = popular.gather(1, last(mask)[:, None])[:, 0]
    entropy = -neural.exp().mul_(neural).sum(1)
    # The best values on a log scale: log-probabilities, and log(1 + x / k) of counted values.
    logs = [best[0].values.clamp(min=-100)]
    logs += [torch.log1p(each.values.clamp(min=0) / _SCALE) for each in best[1:]]
    found = [torch.log1p(length.to(entropy.dtype)), popular.sum(1) / length.clamp(min=1), newest]
    found += [logs[0].amax(1), logs[0].mean(1), entropy]
    for each in logs[1:]:
        found += [each.amax(1), each.mean(1)]
    # The total evidence of the forward and the symmetric memory.
    found += [torch.log1p(total / _SCALE) for total in totals]
    # For each pair of experts, the share of their ten best items that they have in common.
    for a in range(len(best)):
        for b in range(a):
            same = best[a].columns[:, :, None] == best[b].columns[:, None, :]
            # Items without counted evidence are not among the ten best of an expert.
            shared = same & (best[a].values > 0)[:, :, None] if a else same
            shared = shared & (best[b].values > 0)[:, None, :] if b else shared
            found.append(shared.sum((1, 2)).to(entropy.dtype) / logs[0].shape[1])
    return torch.stack(found, 1)


def _without(scores: Float[Tensor, "B V"], history: Int[Tensor, "B L"]) -> Float[Tensor, "B V"]:
    """Return scores of items 1..V with -inf for those of each history."""
    # Padding adds 0, so it changes no column.
    lowest = torch.where(valid(history), -torch.inf, 0.0).to(scores.dtype)
    return scores.scatter_add(1, history.clamp(min=1) - 1, lowest)
