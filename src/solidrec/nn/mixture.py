"""A mixture of evidence whose weights are shared by all users or generated for each user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from solidrec.batch import Scores
from solidrec.nn.evidence import EXPERTS, RECENT, Evidence, statistics
from solidrec.nn.gate import Reading
from solidrec.nn.histories import Histories
from solidrec.nn.memory import Memory
from solidrec.nn.mixture_head import MixtureHead
from solidrec.nn.recommender import Recommender
from solidrec.nn.semantic_memory import SemanticMemory
from solidrec.nn.sources import Generated, Shared, Source, added
from solidrec.nn.weights import Weights

_Memories = tuple[Memory, Memory, SemanticMemory]
"""Memories of the log (forward and symmetric), of content, and of semantic ids."""
LOG, CONTENT, SEMANTIC = (0.5, 0.8), (0.5,), 0.8
"""Decay per event of age of a history's items: forward and symmetric, content, semantic ids."""


_COUNTED = ("semantic_of_item", "experts.counts", "experts.recent")
"""Endings of the names of tensors that are counted or assigned."""


class Counted(NamedTuple):
    """Counted experts: the ``memories``, and how often each item occurs in training.

    ``counts`` (V + 1,) are over all of training, ``recent`` (V + 1,), if wanted, at the end of it.
    """

    memories: _Memories
    counts: Float[Tensor, " V1"]
    recent: Float[Tensor, " V1"] | None = None

    @property
    def experts(self) -> tuple[str, ...]:
        """The names of the experts of a mixture with this evidence."""
        return EXPERTS if self.recent is None else (*EXPERTS, RECENT)


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
        neural = self.log_probabilities(history)
        counted = torch.cat([memory(history) for memory in self.memories])
        return Evidence(neural, counted, self.all_counts[:, None, 1:])

    def log_probabilities(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "B V"]:
        """Return the evidence of the neural expert on items 1..V for each history."""
        users = self.neural.encode(history).users
        return torch.log_softmax(users @ self.neural.items.weight[1:].T, 1)

    @property
    def all_counts(self) -> Float[Tensor, "P V1"]:
        """How often each item occurs in training and, if that is used, at the end of it."""
        if self.recent is None:
            return self.counts[None]
        return torch.stack([self.counts, self.recent])


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
        self.experts, self.head, self.shared = experts, head, shared
        self.deltas = nn.ModuleList(deltas)
        self.reading = reading

    @property
    def items(self) -> nn.Embedding:
        """The item table of the neural expert."""
        return self.experts.neural.items

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts by name: items and backbone of the neural expert, head, and sources'."""
        yield "items", self.items
        yield "backbone", self.experts.neural.backbone
        yield "head", self.head
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


def is_counted(name: str) -> bool:
    """Return whether a tensor of a state is not learned, but counted or assigned.

    >>> is_counted("experts.memories.0.values"), is_counted("head.bias")
    (True, False)
    """
    return ".memories." in name or name.endswith(_COUNTED)
