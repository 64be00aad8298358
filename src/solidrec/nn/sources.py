"""Sources, which provide the weights of a head and can be added slot by slot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple, final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from solidrec.nn.codebook import Codebook
from solidrec.nn.generator import Hypernetwork
from solidrec.nn.histories import Histories
from solidrec.nn.weights import BuiltWeights, Slots, Weights, bound


class Generated(NamedTuple):
    """Output of a source: ``weights``, ``codebook_loss`` () (without lambda), ``stats`` to log."""

    weights: Weights
    codebook_loss: Float[Tensor, ""]
    stats: dict[str, Tensor]


class Source(nn.Module, ABC):
    """Base class of modules that map histories to weights for a head's slots."""

    @abstractmethod
    def forward(self, histories: Histories) -> Generated:
        """Return the weights of each history, or of each prefix if there are prefix ends."""

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts that it has by name: shared, trunk, metacode, branch, codebook."""
        return iter(())


@final
class Shared(Source):
    """One learned set of weights for all users: the static model (Eq. 4)."""

    def __init__(self, slots: Slots) -> None:
        super().__init__()
        self.tensors = nn.ParameterDict(
            {slot: nn.Parameter(torch.empty(shape)) for slot, shape in slots.items()}
        )
        for slot, shape in slots.items():
            nn.init.uniform_(self.tensors[slot], -bound(shape), bound(shape))

    def forward(self, histories: Histories) -> Generated:
        """Return the same weights for every history."""
        weights = BuiltWeights({slot: tensor[None] for slot, tensor in self.tensors.items()})
        return Generated(weights, histories.items.new_zeros(()), {})

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts of this source by name."""
        yield "shared", self.tensors


@final
class WithCodebookLoss(Source):
    """Another source plus the loss of a codebook that nothing reads, to measure that loss alone.

    Without a `codebook`, as in the stage of training before it, this is the other source.
    """

    def __init__(self, source: Source, codebook: Codebook | None) -> None:
        super().__init__()
        self.source, self.codebook = source, codebook

    def forward(self, histories: Histories) -> Generated:
        """Return the weights of the other source, with the codebook's loss added."""
        generated: Generated = self.source(histories)
        if self.codebook is None:
            return generated
        coded = self.codebook(histories)
        stats = {**generated.stats, "code_indices": coded.indices}
        return Generated(generated.weights, generated.codebook_loss + coded.loss, stats)

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts of this source by name."""
        yield from self.source.parts()
        if self.codebook is not None:
            yield "codebook", self.codebook


@final
class Trunk(Source):
    """Weights from the semantic history, M_c(E_c(s_c)) of Eq. 11.

    The semantic table is the metacode (Eq. 12). `semantic_of_item` is (V + 1,), or (V + 1, levels)
    if an item has several ids, which embed as their sum.
    """

    semantic_of_item: Tensor

    def __init__(
        self, generator: Hypernetwork, semantic_of_item: Int[Tensor, "V1 *levels"], dim: int
    ) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("semantic_of_item", semantic_of_item)
        self.semantics = nn.Embedding(int(semantic_of_item.max()) + 1, dim, padding_idx=0)
        nn.init.normal_(self.semantics.weight[1:], std=0.1)

    def embed(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
        """Return the embedded semantic history E_c; it is looked up, never a second input."""
        table = self.semantic_of_item.view(len(self.semantic_of_item), -1)
        semantic_history = F.embedding(history, table)
        embedded: Tensor = self.semantics(semantic_history).sum(-2)
        return embedded

    def forward(self, histories: Histories) -> Generated:
        """Return the weights of each semantic history."""
        weights = self.generator(self.embed(histories.ids), histories.mask, histories.prefix_ends)
        return Generated(weights, histories.items.new_zeros(()), {})

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts of this source by name."""
        yield from (("trunk", self.generator), ("metacode", self.semantics))


@final
class Branch(Source):
    """Weights M_v(E_v(s_v)) of the item history (Eq. 5), clipped (Eq. 12), of codes (Eq. 13)."""

    def __init__(
        self,
        generator: Hypernetwork,
        *,
        codebook: Codebook | None = None,
        clip: float | None = None,
        inward: bool = True,
    ) -> None:
        super().__init__()
        self.generator, self.codebook = generator, codebook
        self.clip, self.inward = clip, inward

    def forward(self, histories: Histories) -> Generated:
        """Return the weights of each item history, with the codebook's loss if there is one."""
        items, codebook_loss, stats = histories.items, histories.items.new_zeros(()), {}
        if self.codebook is not None:
            items, codebook_loss, stats["code_indices"] = self.codebook(histories)
        weights = self.generator(items, histories.mask, histories.prefix_ends)
        if self.clip is not None:
            stats["saturated"] = weights.saturated(self.clip)
            weights = weights.clamp(self.clip, inward=self.inward)
        return Generated(weights, codebook_loss, stats)

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts of this source by name."""
        yield "branch", self.generator
        if self.codebook is not None:
            yield "codebook", self.codebook


@final
class TrunkAndBranch(Source):
    """Trunk plus clipped branch of Eq. 12 and 13."""

    def __init__(self, trunk: Trunk, branch: Branch) -> None:
        super().__init__()
        self.trunk, self.branch = trunk, branch

    def forward(self, histories: Histories) -> Generated:
        """Return the weights of trunk and branch added slot by slot."""
        return added(self.trunk(histories), self.branch(histories))

    def parts(self) -> Iterator[tuple[str, nn.Module]]:
        """Yield the parts of this source by name."""
        yield from (*self.trunk.parts(), *self.branch.parts())


def added(one: Generated, other: Generated) -> Generated:
    """Add the weights of both slot by slot, and their losses, and merge their stats."""
    loss = one.codebook_loss + other.codebook_loss
    return Generated(one.weights + other.weights, loss, {**one.stats, **other.stats})
