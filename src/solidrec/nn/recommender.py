"""The one recommender: item table, backbone, head and source, with one `forward` for all models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from solidrec.batch import Scores
from solidrec.nn.backbones import Backbone, CausalBackbone
from solidrec.nn.heads import Head
from solidrec.nn.histories import Histories
from solidrec.nn.masks import valid
from solidrec.nn.sources import Generated, Source
from solidrec.nn.weights import Weights

FEW_CANDIDATES = 8
"""Candidates per row up to which elementwise dot products are cheaper."""


class EncodedUsers(NamedTuple):
    """Output of `Recommender.encode`: ``users`` (N, D) and what the source ``generated``."""

    users: Float[Tensor, "N D"]
    generated: Generated


@final
class Recommender(nn.Module):
    """Scores candidates for histories: y = M(s_v, v; Theta_s, Theta_d) of Eq. 6.

    One item table serves the backbone, the branch and the targets. `generate` is the half that may
    run in a cloud, `score` the half that may run on a device; `Weights` travel between them.
    """

    def __init__(
        self, items: nn.Embedding, *, backbone: Backbone, head: Head, source: Source
    ) -> None:
        super().__init__()
        self.items, self.backbone, self.head, self.source = items, backbone, head, source

    def forward(
        self,
        history: Int[Tensor, "B L"],
        candidates: Int[Tensor, "#N C"],
        prefix_ends: Int[Tensor, " N"] | None = None,
    ) -> Scores:
        """Return the logits of each history's candidates; one row of candidates may serve all.

        With `prefix_ends` (N,), flat indices into (B, L), row n of the candidates is scored for the
        history up to and with position ``prefix_ends[n]``: all prefixes of a history cost one pass.
        This needs a causal backbone (`reads_prefixes`).
        """
        items, targets = self.embed(history, candidates)
        users, generated = self.read(Histories.of(history, items, prefix_ends), targets)
        return Scores(dot(users, targets), generated.codebook_loss, generated.stats)

    def read(
        self, histories: Histories, targets: Float[Tensor, "#N C D"]
    ) -> tuple[Float[Tensor, "N #C D"], Generated]:
        """Return the user vectors for `targets`, and the output of the source."""
        generated = self.source(histories)
        items, mask = histories.items, histories.mask
        if histories.prefix_ends is None:
            state = self.backbone(items, mask, targets)
        else:
            assert isinstance(self.backbone, CausalBackbone), (
                "only a causal backbone knows the state of every prefix"
            )
            state = self.backbone.states_at(items, mask, histories.prefix_ends)
        users: Tensor = self.head(state, generated.weights)
        return users, generated

    def encode(
        self, history: Int[Tensor, "B L"], prefix_ends: Int[Tensor, " N"] | None = None
    ) -> EncodedUsers:
        """Return one user vector per row, for a dot product with any item, and the source's output.

        `prefix_ends` are those of `forward`. A backbone that reads the candidates (DIN) has no such
        vector.
        """
        items = self.items(history)
        nothing = items.new_zeros(1, 1, items.shape[2])
        users, generated = self.read(Histories.of(history, items, prefix_ends), nothing)
        return EncodedUsers(users[:, 0], generated)

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts of this model by name: items, backbone, head, and those of the source."""
        yield from (("items", self.items), ("backbone", self.backbone), ("head", self.head))
        yield from self.source.parts()

    @property
    def reads_prefixes(self) -> bool:
        """Whether one pass over a history gives the user state of each of its prefixes."""
        return isinstance(self.backbone, CausalBackbone)

    def embed(
        self, history: Int[Tensor, "B L"], candidates: Int[Tensor, "N C"]
    ) -> tuple[Float[Tensor, "B L D"], Float[Tensor, "N C D"]]:
        """Embed both by one look-up, so that training makes one gradient of the item table."""
        table = self.items(torch.cat([history.flatten(), candidates.flatten()]))
        items, targets = table.split([history.numel(), candidates.numel()])
        return items.view(*history.shape, -1), targets.view(*candidates.shape, -1)

    def generate(self, history: Int[Tensor, "B L"]) -> Generated:
        """Return the weights of the dynamic layers for each history (cloud half)."""
        generated: Generated = self.source(Histories.of(history, self.items(history)))
        return generated

    def score(
        self, history: Int[Tensor, "B L"], candidates: Int[Tensor, "#B C"], weights: Weights
    ) -> Float[Tensor, "B C"]:
        """Return the logits under given weights (device half)."""
        targets = self.items(candidates)
        return dot(self.users(history, targets, weights), targets)

    def users(
        self, history: Int[Tensor, "B L"], targets: Float[Tensor, "#B C D"], weights: Weights
    ) -> Float[Tensor, "B #C D"]:
        """Return the user vectors for a dot product: one per user, or one per candidate (DIN)."""
        state = self.backbone(self.items(history), valid(history), targets)
        users: Tensor = self.head(state, weights)
        return users


def dot(users: Float[Tensor, "B #C D"], targets: Float[Tensor, "#B C D"]) -> Float[Tensor, "B C"]:
    """Return the dot product of each user vector with its targets, (B, C)."""
    # A vector per candidate, or too few candidates for a matrix product to pay.
    if users.shape[1] > 1 or targets.shape[1] <= FEW_CANDIDATES:
        return (users * targets).sum(-1)
    if targets.shape[0] == 1:
        return users[:, 0] @ targets[0].T
    return torch.matmul(targets, users.transpose(1, 2))[..., 0]
