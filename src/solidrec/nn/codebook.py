"""The semantic codebook D of Eq. 13, which replaces each item embedding by a code."""

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
"""Factor that a step applies to the running means of a code."""


class _Coded(NamedTuple):
    """Output of a codebook: ``items`` (B, L, D), the ``loss`` () and code ``indices`` (B, L)."""

    items: Float[Tensor, "B L D"]
    loss: Float[Tensor, ""]
    indices: Int[Tensor, "B L"]


class CodebookSettings(TypedDict, total=False):
    """Settings of a codebook; ``hidden`` is the MLP's width (64), ``mlp=False`` omits the MLP."""

    hidden: int
    mlp: bool
    loss: Literal["pair", "literal", "ema", "constant"]
    gradient: Literal["straight-through", "rotation"]


class Codebook(nn.Module, ABC):
    """Codes (K, D) that replace item embeddings; a subclass says which code an item has.

    The ``loss`` is one of four. *pair*: |sg(E) - E'|^2 moves codes to embeddings, and a quarter of
    |E - sg(E')|^2 moves embeddings to codes (van den Oord et al., arXiv 1711.00937, Eq. 3).
    *literal*: the one MSE of Eq. 13. *ema*: codes are running means, and only the second term
    remains. *constant*: codes never move and pass no gradient.

    The MLP D -> hidden -> D that reads a code (Table 7) is added to the code and starts at zero, so
    stage (13) begins where stage (12) ended.
    """

    suited_weight: ClassVar[float]
    """The default lambda of Eq. 13 for these codes."""
    code_vectors: Tensor
    hits: Tensor

    def __init__(self, size: int, dim: int, **how: Unpack[CodebookSettings]) -> None:
        super().__init__()
        hidden, loss = how.get("hidden", 64), how.get("loss", "pair")
        self.loss, self.gradient = loss, how.get("gradient", "straight-through")
        start = torch.empty(size, dim).normal_(std=0.1)
        if loss in ("pair", "literal"):
            self.code_vectors = nn.Parameter(start)
        else:
            self.register_buffer("code_vectors", start)
        # The initial code weighs as much as the whole window of the running means.
        if loss == "ema":
            self.register_buffer("hits", torch.full((size,), 1 / (1 - _DECAY)))
        last = nn.Linear(hidden, dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        with_mlp = how.get("mlp", True)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), last) if with_mlp else None

    def forward(self, histories: Histories) -> _Coded:
        """Replace the embeddings of histories by their codes; padding has index -1 and no loss.

        In the loss and in running means, a position counts once per history or prefix with it.
        """
        items, weight = histories.items, histories.weight()
        # Look up one code per position; `weight` (B, L) counts the histories that hold it.
        indices = self.find(histories.ids, items)
        if self.loss == "ema" and self.training:
            self.average(items.detach().flatten(0, 1), indices.flatten(), weight.flatten())
        read = F.embedding(indices, self.code_vectors)
        # A constant code passes no gradient; other codes pass one to the item embeddings.
        passed = read if self.loss == "constant" else GRADIENTS[self.gradient](items, read)
        answer = passed if self.mlp is None else passed + self.mlp(passed)
        loss = LOSSES[self.loss](items, read, self.share(histories.ids, weight))
        return _Coded(answer, loss, indices.masked_fill(~histories.mask, -1))

    @abstractmethod
    def find(self, ids: Int[Tensor, "B L"], items: Float[Tensor, "B L D"]) -> Int[Tensor, "B L"]:
        """Return the index of each item's code (any index at padding), given ids and embeddings."""

    @property
    @abstractmethod
    def movable(self) -> bool:
        """Whether an unused code may move elsewhere."""

    def share(self, ids: Int[Tensor, "B L"], weight: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Return the share of each position in the loss, given how many histories hold it."""
        return shares(weight)

    def set_item_frequencies(self, events: Int[Tensor, " V1"]) -> None:
        """Set how often each item occurs in training; not used by codes that are searched."""

    @torch.no_grad()
    def average(
        self, items: Float[Tensor, "N D"], indices: Int[Tensor, " N"], weight: Float[Tensor, " N"]
    ) -> None:
        """Move each code that was hit towards the weighted mean of the embeddings that hit it."""
        # The weight and the weighted sum of the embeddings that chose each code in this step.
        hits = torch.zeros_like(self.hits).index_add_(0, indices, weight)
        sums = torch.zeros_like(self.code_vectors).index_add_(0, indices, weight[:, None] * items)
        # Running means, weighted by decayed hits; a code without a hit stays as it is.
        old = self.hits * _DECAY
        total = old + hits
        moved = (self.code_vectors * old[:, None] + sums) / total.clamp(min=1e-6)[:, None]
        self.code_vectors.copy_(torch.where(hits[:, None] > 0, moved, self.code_vectors))
        self.hits.copy_(total)

    @torch.no_grad()
    def place(self, rows: Int[Tensor, " N"], vectors: Float[Tensor, "N D"]) -> None:
        """Set some codes, to start them (the metacode, Algorithm 1) or to move unused ones."""
        self.code_vectors[rows] = vectors.to(self.code_vectors)
        if self.loss == "ema":
            self.hits[rows] = 1 / (1 - _DECAY)


@final
class SemanticCodebook(Codebook):
    """One code for each semantic id; `semantic_of_item` (V + 1,) is in 1..K, 0 for padding.

    In the loss, each of an item's f training events counts 1 / f, so that all items weigh the same
    however often they occur. The loss thus acts as a prior over item embeddings: the embedding of a
    frequent item is soon learned from its own events, that of a rare item stays near the items of
    its semantic id.
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
        # Not saved, because only training has the events.
        self.register_buffer("item_weight", None, persistent=False)

    @torch.no_grad()
    def find(self, ids: Int[Tensor, "B L"], items: Float[Tensor, "B L D"]) -> Int[Tensor, "B L"]:
        """Return the index of the code of each item's semantic id."""
        return F.embedding(ids, self.semantic_of_item[:, None])[..., 0].sub(1).clamp(min=0)

    def share(self, ids: Int[Tensor, "B L"], weight: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
        """Return the share of each position in the loss, given how many histories hold it."""
        found = shares(weight)
        if self.item_weight is None:
            return found
        return found * F.embedding(ids, self.item_weight[:, None])[..., 0]

    def set_item_frequencies(self, events: Int[Tensor, " V1"]) -> None:
        """Let an item with n training `events` count 1 / n in the loss."""
        self.item_weight = events.clamp(min=1).to(self.code_vectors).reciprocal()


@final
class NearestCodebook(Codebook):
    """Codebook in which an item has the code nearest to its embedding (Eq. 13 as printed)."""

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
        # Full precision, so that training and inference find the same codes.
        with full_precision(items.device):
            return nearest_code(items, self.code_vectors, self.distance)

    @property
    def movable(self) -> bool:
        """Whether an unused code may move elsewhere."""
        return self.loss != "constant"


def mean_of_each(
    vectors: Float[Tensor, "V D"], group: Int[Tensor, " V"], count: int
) -> Float[Tensor, "S D"]:
    """Return the mean of each group's vectors, zeros for an empty group.

    >>> mean_of_each(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([1, 1, 0]), 3).tolist()
    [[5.0], [2.0], [0.0]]
    """
    sums = vectors.new_zeros(count, vectors.shape[1]).index_add_(0, group, vectors)
    return sums / torch.bincount(group, minlength=count).clamp(min=1)[:, None]
