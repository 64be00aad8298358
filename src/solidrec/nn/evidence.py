"""Evidence for the next item, of several kinds, and the statistics of it that a gate may read."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from solidrec.nn.masks import last, valid

KINDS = ("forward", "symmetric", "content", "semantic")
"""Kinds of evidence that are counted: what came after, what came with, what is alike, and which semantic id comes next."""
EXPERTS = ("neural", *KINDS, "popularity")
"""What every mixture weighs."""
RECENT = "recency"
"""And one expert more, for data that are split by time: what was popular at the end of training."""
_TOP = 10
_SCALE = 0.05
"""What counted evidence is held against when it becomes a statistic: log(1 + x / SCALE)."""
PAIRED = 4
"""Experts whose ten best are compared; semantic ids have no ten best."""
STATISTICS = 3 + 3 + 2 * (PAIRED - 1) + 2 + PAIRED * (PAIRED - 1) // 2
"""How many numbers `statistics` gives."""


class Evidence(NamedTuple):
    """What each expert says of some candidates, before it is weighed.

    ``neural`` (B, C) are log-probabilities, ``counted`` (K, B, C) sums that are 0 where nothing is known, and ``counts``
    (P, B or 1, C) how often an item occurs in training and, where P is 2, at its end.
    """

    neural: Float[Tensor, "B C"]
    counted: Float[Tensor, "K B C"]
    counts: Float[Tensor, "P #B C"]

    def rows(self, part: slice) -> Evidence:
        """Return the evidence for some of the histories."""
        one = self.counts.shape[1] == 1  # for all histories
        return Evidence(
            self.neural[part], self.counted[:, part], self.counts if one else self.counts[:, part]
        )


def statistics(
    evidence: Evidence, history: Int[Tensor, "B L"], count_of_item: Float[Tensor, " V1"]
) -> Float[Tensor, "B S"]:
    """Return what the evidence over the whole catalogue looks like for each history.

    In order: log length of the history; mean log count of its items, and of the last one; largest log-probability, mean
    of the ten largest, entropy; for each counted kind, the largest value and the mean of the ten largest; the sums of the
    first two kinds; and the shares of the ten best that two experts have in common. Items of the history
    take no part in the ten best, and semantic ids, under which many items are alike, in none of it. Counted values enter as
    log(1 + x / SCALE).
    """
    mask = valid(history)
    length = mask.sum(1)
    popular = torch.log1p(count_of_item[history]) * mask
    newest = popular.gather(1, last(mask)[:, None])[:, 0]
    probable = evidence.neural.exp()
    entropy = -(probable * evidence.neural).sum(1)
    k = min(_TOP, evidence.neural.shape[1])
    # the ten best of each expert, without what the history holds
    had = (history.clamp(min=1) - 1, mask)
    best = [
        torch.topk(_without(scores, *had), k, sorted=False)
        for scores in (evidence.neural, *evidence.counted)[:PAIRED]
    ]
    logs = [
        best[0].values.clamp(min=-100),
        *(torch.log1p(each.values.clamp(min=0) / _SCALE) for each in best[1:]),
    ]
    found = [torch.log1p(length.to(entropy.dtype)), popular.sum(1) / length.clamp(min=1), newest]
    found += [logs[0].amax(1), logs[0].mean(1), entropy]
    for each in logs[1:]:
        found += [each.amax(1), each.mean(1)]
    found += [torch.log1p(evidence.counted[kind].sum(1) / _SCALE) for kind in range(2)]
    for a in range(len(best)):
        for b in range(a):
            same = best[a].indices[:, :, None] == best[b].indices[:, None, :]
            # a place that counts nothing is nobody's choice
            shared = same & (best[a].values > 0)[:, :, None] if a else same
            shared = shared & (best[b].values > 0)[:, None, :] if b else shared
            found.append(shared.sum((1, 2)).to(entropy.dtype) / k)
    return torch.stack(found, 1)


def _without(
    scores: Float[Tensor, "B V"], index: Int[Tensor, "B L"], mask: Bool[Tensor, "B L"]
) -> Float[Tensor, "B V"]:
    """Return scores in which some columns of each row, those under the mask, are -inf."""
    lowest = torch.where(mask, -torch.inf, 0.0).to(scores.dtype)
    return scores.scatter_add(1, index, lowest)
