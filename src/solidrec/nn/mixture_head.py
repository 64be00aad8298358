"""The head of a mixture: scores of items from weighted evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from solidrec.nn.evidence import EXPERTS, KINDS, Evidence
from solidrec.nn.weights import Slots, Weights

BUCKETS = 8
"""Groups of items by training count: 0, 1-2, 3-6, 7-14, ... (powers of two)."""
UNITS = 16
"""Hidden units of the head's nonlinear term."""
CELLS = 1 << 16
"""Scores computed at a time; their hidden units are 16 times as many numbers."""
STANDARDISED = 4096
"""Training rows from which mean and deviation are computed at a time."""
START = {
    "mixture": (0.4, 0.3, 0.6, 0.7, 0.2, 0.3, 0.25),
    "temperature": (0.05, 0.05, 0.3, 1.0),
    "hidden": (1.0,) * UNITS,
}
"""Initial shared weights before the log; the last of ``mixture`` is for recency, if it is used."""


@final
class MixtureHead(nn.Module):
    """Score items by weighted evidence and a small nonlinear term.

    s(u, i) = b(i) + sum over experts e of w_e(u) t_e(i) f_e(u, i) + v . relu(A z(u, i) + h(u)).

    f is the log-probability of the neural expert, log(1 + x / k) of counted evidence x, and
    log(1 + n) of n training events, of all and of the latest; z is f less its mean over training
    rows, in standard deviations. The slots ``mixture`` (E,), ``temperature`` (K,) and ``hidden``
    (H,) are log w, log k and h. The trust t and the bias b of an item belong to its group by
    training count; they, A and v are parameters of the head. The hidden layer starts at zero.
    """

    slots: Slots
    center: Tensor
    spread: Tensor

    def __init__(self, experts: int = len(EXPERTS)) -> None:
        super().__init__()
        self.slots = {"mixture": (experts,), "temperature": (len(KINDS),), "hidden": (UNITS,)}
        self.trust = nn.Parameter(torch.zeros(experts, BUCKETS))
        self.bias = nn.Parameter(torch.zeros(BUCKETS))
        self.units = nn.Linear(experts, UNITS, bias=False)
        self.out = nn.Linear(UNITS, 1, bias=False)
        nn.init.zeros_(self.out.weight)
        self.register_buffer("center", torch.zeros(experts))
        self.register_buffer("spread", torch.ones(experts))

    def forward(self, evidence: Evidence, weights: Weights) -> Float[Tensor, "B C"]:
        """Return the scores of the candidates, by blocks of rows that stay in a cache."""
        neural = evidence.neural
        trust, bias = self.trusted(evidence.counts[0])
        tensors = {slot: tensor.expand(len(neural), -1) for slot, tensor in weights.tensors.items()}
        size = max(1, CELLS // max(neural.shape[1], 1))
        scores = [neural[:0]]
        for start in range(0, len(neural), size):
            part = slice(start, start + size)
            # Trust and bias with one row hold for all histories.
            own_trust, own_bias = (each if len(each) == 1 else each[part] for each in (trust, bias))
            own = {slot: tensor[part] for slot, tensor in tensors.items()}
            scores.append(self.score(evidence.rows(part), own_trust, own_bias, tensors=own))
        return torch.cat(scores)

    def trusted(
        self, counts: Float[Tensor, "R C"]
    ) -> tuple[Float[Tensor, "R E C"], Float[Tensor, "R 1 C"]]:
        """Return trust and bias of candidates, which are those of their group by training count."""
        group = torch.log2(counts + 1).floor().long().clamp(max=BUCKETS - 1)
        return self.trust.exp()[:, group].transpose(0, 1), self.bias[group][:, None]

    def score(
        self,
        evidence: Evidence,
        trust: Float[Tensor, "#B E C"],
        bias: Float[Tensor, "#B 1 C"],
        *,
        tensors: Mapping[str, Tensor],
    ) -> Float[Tensor, "B C"]:
        """Return the scores of some rows, given the trust and the bias of their candidates."""
        # The linear part, b + sum of w t f, with f of shape (B, E, C).
        found = features(evidence, tensors["temperature"])
        rows = found.shape[0]  # no len(): a recording reads a shape anew each time
        scores = torch.baddbmm(bias, tensors["mixture"].exp()[:, None], found * trust)
        # A z + h with z = (f - center) / spread, computed as (A / spread) f + shift.
        units = self.units.weight / self.spread
        shift = tensors["hidden"] - units @ self.center
        bent = torch.baddbmm(shift[:, :, None], units.expand(rows, -1, -1), found).relu_()
        return torch.baddbmm(scores, self.out.weight.expand(rows, -1, -1), bent)[:, 0]

    def contributions(self, evidence: Evidence, weights: Weights) -> Float[Tensor, "B E C"]:
        """Return what each expert adds to the linear part of scores, w_e(u) t_e(i) f_e(u, i)."""
        trust, _ = self.trusted(evidence.counts[0])
        found = features(evidence, weights.tensors["temperature"])
        return weights.tensors["mixture"].exp()[:, :, None] * trust * found

    @torch.no_grad()
    def standardise(self, evidence: Evidence, kept: Bool[Tensor, "R C"]) -> None:
        """Set mean and deviation of f over `kept` candidates of training rows, at the initial k."""
        start = torch.tensor(START["temperature"], device=kept.device).log()[None]
        number = 0
        total = squares = torch.zeros(len(self.center), dtype=torch.float64, device=kept.device)
        # In blocks, because all rows at once would be the largest tensor of training.
        for first in range(0, len(kept), STANDARDISED):
            part = slice(first, first + STANDARDISED)
            found = features(evidence.rows(part), start).transpose(0, 1)[:, kept[part]].double()
            number = number + found.shape[1]
            total, squares = total + found.sum(1), squares + (found**2).sum(1)
        mean = total / number
        self.center.copy_(mean)
        self.spread.copy_((squares / number - mean**2).clamp(min=0).sqrt().clamp(min=1e-3))


def features(evidence: Evidence, temperature: Float[Tensor, "#B K"]) -> Float[Tensor, "B E C"]:
    """Return f of every expert, as in `MixtureHead`; `temperature` holds the logs of k."""
    counted = torch.log1p(evidence.counted.transpose(0, 1) / temperature.exp()[:, :, None])
    popular = torch.log1p(evidence.counts).transpose(0, 1)
    popular = popular.expand(evidence.neural.shape[0], -1, -1)
    return torch.cat([evidence.neural[:, None], counted, popular], 1)
