"""Sources say where a head's weights come from; they add slot by slot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from solidrec.nn.codebook import Codebook
from solidrec.nn.generator import Hypernetwork
from solidrec.nn.masks import reads
from solidrec.nn.weights import BuiltWeights, Slots, Weights, bound


class Generated(NamedTuple):
    """A source's answer: the ``weights``, the ``penalty`` () that lambda weighs, and ``stats`` for the log."""

    weights: Weights
    penalty: Float[Tensor, ""]
    stats: dict[str, Tensor]


class Source(nn.Module, ABC):
    """Turns histories into weights for a head's slots."""

    @abstractmethod
    def forward(
        self,
        history: Int[Tensor, "B L"],
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        places: Int[Tensor, " N"] | None = None,
    ) -> Generated:
        """Return the weights of each history, given as ids and as item embeddings.

        `places` (N,) are indices into B L: then row n has the weights of the history up to and with that place.
        """


@final
class Shared(Source):
    """One learned set of weights for everybody: the static model (Eq. 4).

    With a `codebook` its penalty counts, and nothing reads its codes: what the penalty alone is worth.
    """

    def __init__(self, slots: Slots, *, codebook: Codebook | None = None) -> None:
        super().__init__()
        self.tensors = nn.ParameterDict({slot: nn.Parameter(torch.empty(shape)) for slot, shape in slots.items()})
        self.codebook = codebook
        for slot, shape in slots.items():
            nn.init.uniform_(self.tensors[slot], -bound(shape), bound(shape))

    def forward(
        self,
        history: Int[Tensor, "B L"],
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        places: Int[Tensor, " N"] | None = None,
    ) -> Generated:
        """Return the same weights whatever the history."""
        weights = BuiltWeights({slot: tensor[None] for slot, tensor in self.tensors.items()})
        if self.codebook is None:
            return Generated(weights, items.new_zeros(()), {})
        coded = self.codebook(history, items, mask, reads(mask, places).to(items.dtype))
        return Generated(weights, coded.penalty, {"codes": coded.codes})


@final
class Penalised(Source):
    """Another source, and the penalty of a codebook whose codes nobody reads: what the penalty alone is worth to it.

    Without a `codebook` it is that source, as in a stage of training before the codebook's.
    """

    def __init__(self, source: Source, codebook: Codebook | None) -> None:
        super().__init__()
        self.source = source
        self.codebook = codebook

    def forward(
        self,
        history: Int[Tensor, "B L"],
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        places: Int[Tensor, " N"] | None = None,
    ) -> Generated:
        """Return the weights of the source."""
        generated: Generated = self.source(history, items, mask, places)
        if self.codebook is None:
            return generated
        coded = self.codebook(history, items, mask, reads(mask, places).to(items.dtype))
        return Generated(generated.weights, generated.penalty + coded.penalty, {**generated.stats, "codes": coded.codes})


@final
class Trunk(Source):
    """Weights from the semantic history, M_c(E_c(s_c)) of Eq. 11; the semantic table is the metacode (Eq. 12).

    `semantic_of_item` is (V + 1,), or (V + 1, levels) if an item has several ids: then it embeds as their sum.
    """

    semantic_of_item: Tensor

    def __init__(self, generator: Hypernetwork, semantic_of_item: Int[Tensor, "V1 *levels"], dim: int) -> None:
        super().__init__()
        self.generator = generator
        self.register_buffer("semantic_of_item", semantic_of_item)
        self.semantics = nn.Embedding(int(semantic_of_item.max()) + 1, dim, padding_idx=0)
        nn.init.normal_(self.semantics.weight[1:], std=0.1)

    def embed(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "B L D"]:
        """Return the embedded semantic history E_c; the semantic history is a look-up, never a second input."""
        semantic_history = F.embedding(history, self.semantic_of_item.view(len(self.semantic_of_item), -1))
        embedded: Tensor = self.semantics(semantic_history).sum(-2)
        return embedded

    def forward(
        self,
        history: Int[Tensor, "B L"],
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        places: Int[Tensor, " N"] | None = None,
    ) -> Generated:
        """Return the weights of each semantic history."""
        return Generated(self.generator(self.embed(history), mask, places), items.new_zeros(()), {})


@final
class Branch(Source):
    """Weights from the item history: M_v(E_v(s_v)) of Eq. 5, clipped in Eq. 12, read through a codebook in Eq. 13."""

    def __init__(
        self, generator: Hypernetwork, *, codebook: Codebook | None = None, clip: float | None = None, inward: bool = True
    ) -> None:
        super().__init__()
        self.generator = generator
        self.codebook = codebook
        self.clip = clip
        self.inward = inward

    def forward(
        self,
        history: Int[Tensor, "B L"],
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        places: Int[Tensor, " N"] | None = None,
    ) -> Generated:
        """Return the weights of each item history, with the codebook's penalty if there is one."""
        penalty, stats = items.new_zeros(()), {}
        if self.codebook is not None:
            items, penalty, stats["codes"] = self.codebook(history, items, mask, reads(mask, places).to(items.dtype))
        weights = self.generator(items, mask, places)
        if self.clip is not None:
            stats["saturated"] = weights.saturated(self.clip)
            weights = weights.clamp(self.clip, inward=self.inward)
        return Generated(weights, penalty, stats)


@final
class Sum(Source):
    """Two sources added: trunk and branch of Eq. 12 and 13."""

    def __init__(self, first: Source, second: Source) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def forward(
        self,
        history: Int[Tensor, "B L"],
        items: Float[Tensor, "B L D"],
        mask: Bool[Tensor, "B L"],
        places: Int[Tensor, " N"] | None = None,
    ) -> Generated:
        """Return the slot-wise sum of both answers."""
        a, b = self.first(history, items, mask, places), self.second(history, items, mask, places)
        return Generated(a.weights + b.weights, a.penalty + b.penalty, {**a.stats, **b.stats})
