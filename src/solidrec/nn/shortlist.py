"""The best items of a mixture over a large catalogue, without scoring all the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from solidrec.nn.evidence import KINDS, Evidence
from solidrec.nn.mixture import Mixture
from solidrec.nn.mixture_head import MixtureHead
from solidrec.nn.sparse_evidence import SparseEvidence, groups, members

CERTAIN = 100
"""The best items of a history that are always scored."""
_SEMANTIC = 1 + KINDS.index("semantic")
_POPULAR = _SEMANTIC + 1
_ROUNDING = 1e-3
"""By how much a score may be above its upper bound, computed with other roundings."""


@final
class Shortlist:
    """Scores a trained mixture gives to items that may be among the `CERTAIN` best of a history.

    Items that log or content speak of are scored. The score of any other is bounded from above by a
    linear function of its evidence, and it is scored if that reaches the `CERTAIN`-th best score so
    far. So the best items and their scores are those of the mixture, and most of a large catalogue
    is never scored.

    The bound replaces the hidden units, relu(y) with y between l and h for this history, by lines:
    those of positive weight by the chord, which is above relu, those of negative weight by 0 or y,
    which are below (as in CROWN, Zhang et al., NeurIPS 2018).
    """

    def __init__(self, mixture: Mixture) -> None:
        self.mixture, head = mixture, mixture.head
        counts = mixture.experts.all_counts[:, 1:]
        # Trust (E, V) and bias (V,) of each item.
        (trust,), ((self.bias,),) = (each.detach() for each in head.trusted(counts[:1]))
        popular = torch.log1p(counts)
        self.trust = {expert: trust[expert] for expert in (0, _SEMANTIC)}
        self.popular = torch.cat([trust[_POPULAR:] * popular, popular])
        self.range = popular.amin(1), popular.amax(1)

    def best(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "B V"]:
        """Return scores of items 1..V, -inf for items that are not among the best."""
        evidence = SparseEvidence(self.mixture.experts, history)
        known, tensors = _read(self.mixture, evidence)
        found = _score(self.mixture.head, known, tensors)
        scores = torch.full_like(evidence.neural, -torch.inf)
        scores.view(-1)[evidence.cells] = found.view(-1)[evidence.slots]
        least = torch.where(evidence.own, found, -torch.inf).topk(CERTAIN).values[:, -1]
        self._add_others(scores, evidence, tensors, least - _ROUNDING)
        return scores

    def _add_others(
        self,
        scores: Float[Tensor, "B V"],
        evidence: SparseEvidence,
        tensors: Mapping[str, Tensor],
        least: Float[Tensor, " B"],
    ) -> None:
        """Score the items whose upper bound reaches `least`, of which log and content say nothing.

        A history without items has none: nobody reads its scores.
        """
        least = torch.where((evidence.history > 0).any(1), least, torch.inf)
        bounds = self.upper_bounds(evidence, tensors)
        row, group = (groups(bounds) >= least[:, None]).nonzero(as_tuple=True)
        columns = members(group, bounds.shape[1])
        row = row[:, None].expand_as(columns)
        wanted = (bounds[row, columns] >= least[row]) & scores[row, columns].isinf()
        row, column = row[wanted], columns[wanted]
        # A row for each of them, of one candidate.
        own = {slot: tensor[row] for slot, tensor in tensors.items()}
        found = _score(self.mixture.head, evidence.at(row[:, None], column[:, None]), own)[:, 0]
        # Not by [] and =, of which a recording with one item allows only one ever after.
        scores.index_put_((row, column), found)

    def upper_bounds(
        self, evidence: SparseEvidence, tensors: Mapping[str, Tensor]
    ) -> Float[Tensor, "B V"]:
        """Return at least the score of each item of which log and content say nothing."""
        mixture, temperature = tensors["mixture"].exp(), tensors["temperature"].exp()
        by_id = torch.log1p(evidence.by_id / temperature[:, KINDS.index("semantic"), None])
        slopes, constant = self._lines(evidence.neural, by_id, tensors["hidden"])
        # The bias and popularity, then the two dense experts.
        shared = torch.cat([mixture[:, _POPULAR:], slopes[:, _POPULAR:]], 1)
        bounds = (shared @ self.popular).add_(self.bias).add_(constant[:, None])
        semantic = by_id.index_select(1, evidence.id_of_item[1:])
        for expert, values in ((0, evidence.neural), (_SEMANTIC, semantic)):
            # Its weight in a score, and that of the line.
            weight = self.trust[expert] * mixture[:, expert, None]
            bounds.add_(weight.add_(slopes[:, expert, None]).mul_(values))
        return bounds

    def _lines(
        self,
        neural: Float[Tensor, "B V"],
        by_id: Float[Tensor, "B S1"],
        hidden: Float[Tensor, "B H"],
    ) -> tuple[Float[Tensor, "B E"], Float[Tensor, " B"]]:
        """Return slopes and constant of a linear function that the hidden layer never exceeds."""
        head = self.mixture.head
        # The range of each expert's evidence; log and content have none.
        low, high = (neural.new_zeros(len(neural), len(head.center)) for _ in range(2))
        low[:, 0], high[:, 0] = neural.amin(1), neural.amax(1)
        low[:, _SEMANTIC], high[:, _SEMANTIC] = by_id.amin(1), by_id.amax(1)
        low[:, _POPULAR:], high[:, _POPULAR:] = self.range
        # The range of each unit: largest where evidence of positive weight is high.
        units = head.units.weight / head.spread
        shift = hidden - units @ head.center
        up, down = units.clamp(min=0).T, units.clamp(max=0).T
        most, least = high @ up + low @ down + shift, low @ up + high @ down + shift
        chord = (most.relu() - least.relu()) / (most - least).clamp(min=1e-6)
        # The slope of each unit's line, and its value where the unit is 0.
        out = head.out.weight[0]
        slope = torch.where(out > 0, chord, (most > -least).to(chord.dtype))
        offset = torch.where(out > 0, most.relu() - chord * most, 0.0)
        return (out * slope) @ units, (out * (slope * shift + offset)).sum(1)


def scores_of(
    mixture: Mixture, history: Int[Tensor, "B L"], candidates: Int[Tensor, "B C"]
) -> Float[Tensor, "B C"]:
    """Return the scores of a few candidates, as the mixture gives them; padding gets item 1's."""
    evidence = SparseEvidence(mixture.experts, history)
    _, tensors = _read(mixture, evidence)
    return _score(mixture.head, evidence.at(evidence.rows, candidates.clamp(min=1) - 1), tensors)


def _read(mixture: Mixture, evidence: SparseEvidence) -> tuple[Evidence, dict[str, Tensor]]:
    """Return the evidence on what is known, and each history's weights that it leads to."""
    history = evidence.history
    known = evidence.at(evidence.rows, evidence.known)
    statistics = known.neural[:, :0]
    if mixture.reading is not None:
        statistics = evidence.statistics(known)
    weights = mixture.weigh(history, statistics).weights.tensors
    return known, {slot: tensor.expand(len(history), -1) for slot, tensor in weights.items()}


def _score(
    head: MixtureHead, evidence: Evidence, tensors: Mapping[str, Tensor]
) -> Float[Tensor, "R C"]:
    """Return scores without blocks, of which a recording would have a fixed number."""
    return head.score(evidence, *head.trusted(evidence.counts[0]), tensors=tensors)
