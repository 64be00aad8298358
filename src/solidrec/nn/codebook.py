"""The semantic codebook D of Eq. 13: each item embedding is replaced by a code, its semantic id's or the nearest."""

from __future__ import annotations

from typing import Literal, NamedTuple, final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from solidrec.nn.precision import full_precision

_CLOSENESS = {"cpu": 1 << 20}
"""Floats of vector-to-code closeness at a time: on a CPU what stays in a cache."""
_MANY = 1 << 26


PENALTY = {"semantic": 1000.0, "nearest": 0.1}
"""The lambda of Eq. 13 by how codes are found: the paper's for the nearest, docs/log.md has the other's reason."""


class Coded(NamedTuple):
    """What a codebook answers: ``vectors`` (B, L, D) for the generator, ``penalty`` (), and the chosen ``codes`` (B, L)."""

    vectors: Float[Tensor, "B L D"]
    penalty: Float[Tensor, ""]
    codes: Int[Tensor, "B L"]


def nearest_code(
    vectors: Float[Tensor, "*N D"], codes: Float[Tensor, "K D"], distance: Literal["euclidean", "cosine"] = "euclidean"
) -> Int[Tensor, "*N"]:
    """Return the index of each vector's nearest code, by matrix products over as many rows as fit into a cache.

    The term of |x - c|^2 = |x|^2 - 2 x.c + |c|^2 that is the same for all codes is left out. The memory is that of
    `_CLOSENESS` floats at a time, however many vectors and codes there are.

    >>> nearest_code(torch.tensor([[0.9, 0.0]]), torch.tensor([[5.0, 0.0], [0.0, 1.0]]), "cosine").item()
    0
    """
    if distance == "cosine":
        codes, offset = F.normalize(codes, dim=1), codes.new_zeros(len(codes))
    else:
        offset = -0.5 * codes.square().sum(1)
    rows = max(1, _CLOSENESS.get(vectors.device.type, _MANY) // len(codes))
    # max and its index are found several times faster than argmax alone
    found = [torch.addmm(offset, part, codes.T).max(1).indices for part in vectors.flatten(0, -2).split(rows)]
    return torch.cat(found).view(vectors.shape[:-1])


def straight_through(vectors: Float[Tensor, "*N D"], found: Float[Tensor, "*N D"]) -> Float[Tensor, "*N D"]:
    """Return `found`, with the gradient passed to `vectors` unchanged."""
    return vectors + (found - vectors).detach()


def rotation(vectors: Float[Tensor, "*N D"], found: Float[Tensor, "*N D"]) -> Float[Tensor, "*N D"]:
    """Return `found`, with the gradient turned and scaled as `vectors` is onto it (Fifty et al., arXiv 2410.06424, Eq. 4-5)."""
    e = F.normalize(vectors, dim=-1).detach()
    q = F.normalize(found, dim=-1).detach()
    between = F.normalize(e + q, dim=-1)
    scale = (found.norm(dim=-1, keepdim=True) / vectors.norm(dim=-1, keepdim=True).clamp(min=1e-6)).detach()
    mirrored = vectors - 2 * between * (between * vectors).sum(-1, keepdim=True)
    turned: Tensor = scale * (mirrored + 2 * q * (e * vectors).sum(-1, keepdim=True))
    return turned


_PASS = {"straight-through": straight_through, "rotation": rotation}


@final
class Codebook(nn.Module):
    """Codes (K, D), how they are found, learned and read.

    With `semantic_of_item` (V + 1,), 0 for padding, an item's code is that of its semantic id; without, the one nearest
    to its embedding (Eq. 13 as printed).

    ``loss`` *pair*: |sg(E) - E'|^2 moves codes to embeddings, a quarter of |E - sg(E')|^2 embeddings to codes
    (van den Oord et al., arXiv 1711.00937, Eq. 3); *literal*: the one MSE of Eq. 13; *ema*: codes are running
    means, only the second term remains; *constant*: codes never move and no gradient passes them.
    The MLP D -> hidden -> D that reads a code (Table 7) adds to it and starts at zero, so stage (13) begins
    where stage (12) ended.
    """

    codes: Tensor
    hits: Tensor
    semantic_of_item: Tensor | None
    once: Tensor | None

    def __init__(
        self,
        size: int,
        dim: int,
        *,
        semantic_of_item: Int[Tensor, " V1"] | None = None,
        hidden: int = 64,
        mlp: bool = True,
        loss: Literal["pair", "literal", "ema", "constant"] = "pair",
        distance: Literal["euclidean", "cosine"] = "euclidean",
        gradient: Literal["straight-through", "rotation"] = "straight-through",
        decay: float = 0.99,
    ) -> None:
        super().__init__()
        self.loss, self.distance, self.gradient, self.decay = loss, distance, gradient, decay
        self.register_buffer("semantic_of_item", semantic_of_item)
        self.register_buffer("once", None, persistent=False)  # of training alone, which has the events
        start = torch.empty(size, dim).normal_(std=0.1)
        if loss in ("pair", "literal"):
            self.codes = nn.Parameter(start)
        else:
            self.register_buffer("codes", start)
        if loss == "ema":
            self.register_buffer("hits", torch.full((size,), 1 / (1 - decay)))  # a start weighs as much as the window does
        last = nn.Linear(hidden, dim)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.ReLU(), last) if mlp else None

    def forward(
        self,
        history: Int[Tensor, "B L"],
        vectors: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        weight: Float[Tensor, "B L"] | None = None,
    ) -> Coded:
        """Replace the embeddings of a history by their codes; padding has code -1 and adds nothing to the penalty.

        `weight` says how much each position counts in the penalty and in running means (default: every item once).
        """
        weight = mask.to(vectors.dtype) if weight is None else weight
        codes = self.find(history, vectors)
        if self.loss == "ema" and self.training:
            self.average(vectors.detach().flatten(0, 1), codes.flatten(), weight.flatten())
        found = F.embedding(codes, self.codes)
        passed = found if self.loss == "constant" else _PASS[self.gradient](vectors, found)
        read = passed if self.mlp is None else passed + self.mlp(passed)
        share = shares(weight)
        if self.once is not None:
            share = share * F.embedding(history, self.once[:, None])[..., 0]
        return Coded(read, self.penalty(vectors, found, share), codes.masked_fill(~mask, -1))

    def count(self, events: Int[Tensor, " V1"]) -> None:
        """Let an item count 1 / `events` of it in the penalty, so that each weighs the same however often it is seen.

        That is a prior over item embeddings, stated once an item: what is seen often is soon learned from its own events, what is
        seen rarely stays with the items of its semantic id. Codes that are searched count every event, as Eq. 13 does.
        """
        if self.semantic_of_item is not None:
            self.once = events.clamp(min=1).to(self.codes).reciprocal()

    @property
    def weight(self) -> float:
        """The lambda that suits these codes, where none is given."""
        return PENALTY["nearest" if self.semantic_of_item is None else "semantic"]

    @property
    def movable(self) -> bool:
        """Whether a code that nobody uses may move elsewhere: not if it stands for a semantic id, or never moves."""
        return self.semantic_of_item is None and self.loss != "constant"

    @torch.no_grad()
    def find(self, history: Int[Tensor, "B L"], vectors: Float[Tensor, "B L D"]) -> Int[Tensor, "B L"]:
        """Return the index of each item's code (of padding: any)."""
        if self.semantic_of_item is not None:
            return F.embedding(history, self.semantic_of_item[:, None])[..., 0].sub(1).clamp(min=0)
        with full_precision(vectors.device):  # the same codes in training as in use
            return nearest_code(vectors, self.codes, self.distance)

    def penalty(
        self, vectors: Float[Tensor, "B L D"], found: Float[Tensor, "B L D"], share: Float[Tensor, "B L"]
    ) -> Float[Tensor, ""]:
        """Return l_MSE(E_v, E'_v) of Eq. 13 in the chosen form: a mean over D, summed over the positions with their shares."""
        if self.loss == "constant":
            return vectors.new_zeros(())
        if self.loss == "literal":
            return square(vectors, found, share)
        toward_codes = 0.25 * square(vectors, found.detach(), share)
        return toward_codes if self.loss == "ema" else toward_codes + square(vectors.detach(), found, share)

    @torch.no_grad()
    def average(self, vectors: Float[Tensor, "N D"], codes: Int[Tensor, " N"], weight: Float[Tensor, " N"]) -> None:
        """Move each code that was hit towards the weighted mean of the embeddings that hit it."""
        hits = torch.zeros_like(self.hits).index_add_(0, codes, weight)
        sums = torch.zeros_like(self.codes).index_add_(0, codes, weight[:, None] * vectors)
        total = self.hits * self.decay + hits
        moved = (self.codes * (self.hits * self.decay)[:, None] + sums) / total.clamp(min=1e-6)[:, None]
        self.codes.copy_(torch.where(hits[:, None] > 0, moved, self.codes))
        self.hits.copy_(total)

    @torch.no_grad()
    def place(self, rows: Int[Tensor, " N"], vectors: Float[Tensor, "N D"]) -> None:
        """Set some codes: their start (the metacode, Algorithm 1), or the new place of codes that nobody used."""
        self.codes[rows] = vectors.to(self.codes)
        if self.loss == "ema":
            self.hits[rows] = 1 / (1 - self.decay)


def shares(weight: Float[Tensor, "B L"]) -> Float[Tensor, "B L"]:
    """Return weights that sum to 1, or zeros if nothing weighs anything."""
    return weight / weight.sum().clamp(min=1)


def square(a: Float[Tensor, "B L D"], b: Float[Tensor, "B L D"], share: Float[Tensor, "B L"]) -> Float[Tensor, ""]:
    """Return the mean over D of (a - b)^2, summed over the positions with their shares."""
    return ((a - b).square().mean(-1) * share).sum()


def mean_of_each(vectors: Float[Tensor, "V D"], group: Int[Tensor, " V"], count: int) -> Float[Tensor, "S D"]:
    """Return the mean of each group's vectors, zeros for a group that has none.

    >>> mean_of_each(torch.tensor([[1.0], [3.0], [5.0]]), torch.tensor([1, 1, 0]), 3).tolist()
    [[5.0], [2.0], [0.0]]
    """
    sums = vectors.new_zeros(count, vectors.shape[1]).index_add_(0, group, vectors)
    return sums / torch.bincount(group, minlength=count).clamp(min=1)[:, None]
