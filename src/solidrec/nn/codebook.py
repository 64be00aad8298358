"""The semantic codebook D of Eq. 13: each item embedding is replaced by a code, its semantic id's or the nearest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal, NamedTuple, TypedDict, Unpack, final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from solidrec.nn.codebook_loss import GRADIENTS, LOSSES, shares
from solidrec.nn.histories import Histories
from solidrec.nn.kernels.nearest import nearest_code
from solidrec.nn.kernels.precision import full_precision

_DECAY = 0.99
"""What running means keep of a code at each step."""


class Coded(NamedTuple):
    """What a codebook answers: ``items`` (B, L, D) for the generator, the ``loss`` (), and ``indices`` (B, L) of the codes."""

    items: Float[Tensor, "B L D"]
    loss: Float[Tensor, ""]
    indices: Int[Tensor, "B L"]


class CodebookSettings(TypedDict, total=False):
    """What both kinds of codebooks are told; ``hidden`` is the width of the MLP (default 64), which ``mlp=False`` leaves out."""

    hidden: int
    mlp: bool
    loss: Literal["pair", "literal", "ema", "constant"]
    gradient: Literal["straight-through", "rotation"]


class Codebook(nn.Module, ABC):
    """Codes (K, D) that stand in for item embeddings: how they are learned and read. Which one an item has, a subclass says.

    ``loss`` *pair*: |sg(E) - E'|^2 moves codes to embeddings, a quarter of |E - sg(E')|^2 embeddings to codes
    (van den Oord et al., arXiv 1711.00937, Eq. 3); *literal*: the one MSE of Eq. 13; *ema*: codes are running
    means, only the second term remains; *constant*: codes never move and no gradient passes them.
    The MLP D -> hidden -> D that reads a code (Table 7) adds to it and starts at zero, so stage (13) begins
    where stage (12) ended.
    """

    suited_weight: ClassVar[float]
    """The lambda of Eq. 13 that suits these codes, where none is given."""
    code_vectors: Tensor
    hits: Tensor

    def __init__(self, size: int, dim: int, **how: Unpack[CodebookSettings]) -> None:
        super().__init__()
        settings = (
            CodebookSettings(hidden=64, mlp=True, loss="pair", gradient="straight-through") | how
        )
        hidden, loss = settings["hidden"], settings["loss"]
        self.loss, self.gradient = loss, settings["gradient"]
        start = torch.empty(size, dim).normal_(std=0.1)
        if loss in ("pair", "literal"):
            self.code_vectors = nn.Parameter(start)
        else:
            self.register_buffer("code_vectors", start)
        if loss == "ema":
            self.register_buffer(
                "hits", torch.full((size,), 1 / (1 - _DECAY))
            )  # a start weighs as much as the window does
        last = nn.Linear(hidden, dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.mlp = (
            nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), last) if settings["mlp"] else None
        )

    def forward(self, histories: Histories) -> Coded:
        """Replace the embeddings of histories by their codes; padding has index -1 and adds nothing to the loss.

        A position counts as often in the loss, and in running means, as there are histories or prefixes that hold it.
        """
        items, weight = histories.items, histories.weight()
        indices = self.find(histories.ids, items)
        if self.loss == "ema" and self.training:
            self.average(items.detach().flatten(0, 1), indices.flatten(), weight.flatten())
        read = F.embedding(indices, self.code_vectors)
        passed = read if self.loss == "constant" else GRADIENTS[self.gradient](items, read)
        answer = passed if self.mlp is None else passed + self.mlp(passed)
        loss = LOSSES[self.loss](items, read, self.share(histories.ids, weight))
        return Coded(answer, loss, indices.masked_fill(~histories.mask, -1))

    @abstractmethod
    def find(self, ids: Int[Tensor, "B L"], items: Float[Tensor, "B L D"]) -> Int[Tensor, "B L"]:
        """Return the index of each item's code (of padding: any), given the ids and the embeddings of items."""

    @property
    @abstractmethod
    def movable(self) -> bool:
        """Whether a code that nobody uses may move elsewhere."""

    def share(self, ids: Int[Tensor, "B L"], weight: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Return how much each position counts in the loss, given how many histories hold it."""
        return shares(weight)

    def set_item_frequencies(self, events: Int[Tensor, " V1"]) -> None:
        """Take note of how often each item occurs in training; codes that are searched have no use for it."""

    @torch.no_grad()
    def average(
        self, items: Float[Tensor, "N D"], indices: Int[Tensor, " N"], weight: Float[Tensor, " N"]
    ) -> None:
        """Move each code that was hit towards the weighted mean of the embeddings that hit it."""
        hits = torch.zeros_like(self.hits).index_add_(0, indices, weight)
        sums = torch.zeros_like(self.code_vectors).index_add_(0, indices, weight[:, None] * items)
        total = self.hits * _DECAY + hits
        moved = (self.code_vectors * (self.hits * _DECAY)[:, None] + sums) / total.clamp(min=1e-6)[
            :, None
        ]
        self.code_vectors.copy_(torch.where(hits[:, None] > 0, moved, self.code_vectors))
        self.hits.copy_(total)

    @torch.no_grad()
    def place(self, rows: Int[Tensor, " N"], vectors: Float[Tensor, "N D"]) -> None:
        """Set some codes: their start (the metacode, Algorithm 1), or the new place of codes that nobody used."""
        self.code_vectors[rows] = vectors.to(self.code_vectors)
        if self.loss == "ema":
            self.hits[rows] = 1 / (1 - _DECAY)


@final
class SemanticCodebook(Codebook):
    """A code for each semantic id; `semantic_of_item` (V + 1,) is 1..K, and 0 for padding.

    In the loss an item counts 1 / f of each of its f training events, so that each weighs the same however often it is
    seen. That is a prior over item embeddings, stated once an item: what is seen often is soon learned from its own
    events, what is seen rarely stays with the items of its semantic id.
    """

    suited_weight = 1000.0  # docs/log.md has the reason
    movable = False
    semantic_of_item: Tensor
    item_weight: Tensor | None

    def __init__(
        self,
        size: int,
        dim: int,
        *,
        semantic_of_item: Int[Tensor, " V1"],
        **how: Unpack[CodebookSettings],
    ) -> None:
        super().__init__(size, dim, **how)
        self.register_buffer("semantic_of_item", semantic_of_item)
        self.register_buffer(
            "item_weight", None, persistent=False
        )  # of training alone, which has the events

    @torch.no_grad()
    def find(self, ids: Int[Tensor, "B L"], items: Float[Tensor, "B L D"]) -> Int[Tensor, "B L"]:
        """Return the index of the code of each item's semantic id."""
        return F.embedding(ids, self.semantic_of_item[:, None])[..., 0].sub(1).clamp(min=0)

    def share(self, ids: Int[Tensor, "B L"], weight: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Return how much each position counts in the loss, given how many histories hold it."""
        found = shares(weight)
        return (
            found
            if self.item_weight is None
            else found * F.embedding(ids, self.item_weight[:, None])[..., 0]
        )

    def set_item_frequencies(self, events: Int[Tensor, " V1"]) -> None:
        """Let an item count 1 / `events` of it in the loss."""
        self.item_weight = events.clamp(min=1).to(self.code_vectors).reciprocal()


@final
class NearestCodebook(Codebook):
    """Codes of which an item has the one nearest to its embedding (Eq. 13 as printed)."""

    suited_weight = 0.1  # the paper's

    def __init__(
        self,
        size: int,
        dim: int,
        *,
        distance: Literal["euclidean", "cosine"] = "euclidean",
        **how: Unpack[CodebookSettings],
    ) -> None:
        super().__init__(size, dim, **how)
        self.distance = distance

    @torch.no_grad()
    def find(self, ids: Int[Tensor, "B L"], items: Float[Tensor, "B L D"]) -> Int[Tensor, "B L"]:
        """Return the index of the code nearest to each item's embedding."""
        with full_precision(items.device):  # the same codes in training as in use
            return nearest_code(items, self.code_vectors, self.distance)

    @property
    def movable(self) -> bool:
        """Whether a code that nobody uses may move elsewhere."""
        return self.loss != "constant"


def mean_of_each(
    vectors: Float[Tensor, "V D"], group: Int[Tensor, " V"], count: int
) -> Float[Tensor, "S D"]:
    """Return the mean of each group's vectors, zeros for a group that has none.

    >>> mean_of_each(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([1, 1, 0]), 3).tolist()
    [[5.0], [2.0], [0.0]]
    """
    sums = vectors.new_zeros(count, vectors.shape[1]).index_add_(0, group, vectors)
    return sums / torch.bincount(group, minlength=count).clamp(min=1)[:, None]
