"""A mixture of evidence whose weights are shared by all users or generated for each user."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from solidrec.batch import Scores
from solidrec.nn.evidence import EXPERTS, KINDS, RECENT, Evidence, statistics
from solidrec.nn.gate import Reading
from solidrec.nn.histories import Histories
from solidrec.nn.memory import Memory
from solidrec.nn.recommender import Recommender
from solidrec.nn.semantic_memory import SemanticMemory
from solidrec.nn.sources import Generated, Shared, Source, added
from solidrec.nn.weights import Slots, Weights

Memories = tuple[Memory, Memory, SemanticMemory]
"""Memories of the log (forward and symmetric), of content, and of semantic ids."""
BUCKETS = 8
"""Groups of items by training count: 0, 1-2, 3-6, 7-14, ... (powers of two)."""
UNITS = 16
"""Hidden units of the head's nonlinear term."""
CELLS = 1 << 16
"""Scores computed at a time; their hidden units are 16 times as many numbers."""
STANDARDISED = 4096
"""Training rows from which mean and deviation are computed at a time."""
LOG, CONTENT, SEMANTIC = (0.5, 0.8), (0.5,), 0.8
"""Decay per event of age of a history's items: forward and symmetric, content, semantic ids."""
START = {
    "mixture": (0.4, 0.3, 0.6, 0.7, 0.2, 0.3, 0.25),
    "temperature": (0.05, 0.05, 0.3, 1.0),
    "hidden": (1.0,) * UNITS,
}
"""Initial shared weights before the log; the last of ``mixture`` is for recency, if it is used."""


class Counted(NamedTuple):
    """Counted experts: the ``memories``, and how often each item occurs in training.

    ``counts`` (V + 1,) are over all of training, ``recent`` (V + 1,), if wanted, at the end of it.
    """

    memories: Memories
    counts: Float[Tensor, " V1"]
    recent: Float[Tensor, " V1"] | None = None

    @property
    def experts(self) -> tuple[str, ...]:
        """The names of the experts of a mixture with this evidence."""
        return EXPERTS if self.recent is None else (*EXPERTS, RECENT)


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
        # The group of each candidate by training count, (#B, C).
        group = torch.log2(evidence.counts[0] + 1).floor().long().clamp(max=BUCKETS - 1)
        # Trust (#B, E, C) and bias (#B, 1, C) of each candidate's group.
        trust, bias = (self.trust.exp()[:, group].transpose(0, 1), self.bias[group][:, None])
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
        rows = len(found)
        scores = torch.baddbmm(bias, tensors["mixture"].exp()[:, None], found * trust)
        # A z + h with z = (f - center) / spread, computed as (A / spread) f + shift.
        units = self.units.weight / self.spread
        shift = tensors["hidden"] - units @ self.center
        bent = torch.baddbmm(shift[:, :, None], units.expand(rows, -1, -1), found).relu_()
        return torch.baddbmm(scores, self.out.weight.expand(rows, -1, -1), bent)[:, 0]

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
            number, total, squares = (
                number + found.shape[1],
                total + found.sum(1),
                squares + (found**2).sum(1),
            )
        mean = total / number
        self.center.copy_(mean)
        self.spread.copy_((squares / number - mean**2).clamp(min=0).sqrt().clamp(min=1e-3))


def features(evidence: Evidence, temperature: Float[Tensor, "#B K"]) -> Float[Tensor, "B E C"]:
    """Return f of every expert, as in `MixtureHead`; `temperature` holds the logs of k."""
    counted = torch.log1p(evidence.counted.transpose(0, 1) / temperature.exp()[:, :, None])
    popular = torch.log1p(evidence.counts).transpose(0, 1).expand(len(evidence.neural), -1, -1)
    return torch.cat([evidence.neural[:, None], counted, popular], 1)


@final
class Experts(nn.Module):
    """The experts: a trained `neural` recommender, and the memories of what was `counted`.

    The memories give evidence in the order of `KINDS`.
    """

    counts: Tensor
    recent: Tensor | None

    def __init__(self, neural: Recommender, counted: Counted) -> None:
        super().__init__()
        self.neural = neural
        self.memories = nn.ModuleList(counted.memories)
        self.register_buffer("counts", counted.counts)
        self.register_buffer("recent", counted.recent)

    def forward(self, history: Int[Tensor, "B L"]) -> Evidence:
        """Return the evidence of every expert on items 1..V for each history."""
        users = self.neural.encode(history).users
        neural = torch.log_softmax(users @ self.neural.items.weight[1:].T, 1)
        counted = torch.cat([memory(history) for memory in self.memories])
        counts = (
            self.counts[None] if self.recent is None else torch.stack([self.counts, self.recent])
        )
        return Evidence(neural, counted, counts[:, None, 1:])


@final
class Mixture(nn.Module):
    """Experts whose evidence a head weighs by `shared` weights plus generated `deltas`.

    `generate` is the half that may run in a cloud: it maps histories to weights, which `score`
    uses. A `reading`, if there is one, generates one more delta from statistics of the evidence.
    """

    def __init__(
        self,
        experts: Experts,
        *,
        head: MixtureHead,
        shared: Shared,
        deltas: Sequence[Source],
        reading: Reading | None,
    ) -> None:
        super().__init__()
        self.experts = experts
        self.head = head
        self.shared = shared
        self.deltas = nn.ModuleList(deltas)
        self.reading = reading

    @property
    def items(self) -> nn.Embedding:
        """The item table of the neural expert."""
        return self.experts.neural.items

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts by name: items and backbone of the neural expert, head, and sources'."""
        yield from (
            ("items", self.items),
            ("backbone", self.experts.neural.backbone),
            ("head", self.head),
        )
        for source in (self.shared, *self.deltas):
            yield from source.parts()

    def weigh(self, history: Int[Tensor, "B L"], read: Float[Tensor, "B S"]) -> Generated:
        """Return the weights of histories, given the `statistics` of their evidence."""
        histories = Histories.of(history, self.items(history))
        generated: Generated = self.shared(histories)
        for delta in self.deltas:
            generated = added(generated, delta(histories))
        if self.reading is None:
            return generated
        return generated._replace(weights=generated.weights + self.reading(read))

    def read(self, history: Int[Tensor, "B L"], evidence: Evidence) -> Generated:
        """Return the weights of histories, given the evidence over the whole catalogue."""
        if self.reading is None:  # No module reads the statistics.
            return self.weigh(history, evidence.neural[:, :0])
        return self.weigh(history, statistics(evidence, history, self.experts.counts))

    def generate(self, history: Int[Tensor, "B L"]) -> Generated:
        """Return the weights of each history (cloud half)."""
        return self.read(history, self.experts(history))

    def score(
        self, history: Int[Tensor, "B L"], candidates: Int[Tensor, "#B C"], weights: Weights
    ) -> Float[Tensor, "B C"]:
        """Return the scores of candidates under given weights (device half)."""
        scores: Tensor = self.head(self.experts(history), weights)
        return of_candidates(scores, candidates)

    def forward(self, history: Int[Tensor, "B L"], candidates: Int[Tensor, "#B C"]) -> Scores:
        """Return the scores of each history's candidates; one row of candidates may serve all."""
        evidence = self.experts(history)
        generated = self.read(history, evidence)
        scores = of_candidates(self.head(evidence, generated.weights), candidates)
        return Scores(scores, generated.codebook_loss, generated.stats)


def of_candidates(
    scores: Float[Tensor, "B V"], candidates: Int[Tensor, "#B C"]
) -> Float[Tensor, "B C"]:
    """Return the columns of `candidates` from scores of items 1..V; padding gets item 1's."""
    columns = candidates.clamp(min=1) - 1
    return scores[:, columns[0]] if len(columns) == 1 else scores.gather(1, columns)
