"""Generated weights: the tensors of a head's slots, built or not, and how a head applies them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from solidrec.nn.kernels.clip import InwardClip
from solidrec.nn.kernels.product import generated_product

Slots = Mapping[str, tuple[int, ...]]


class Weights(ABC):
    """One set of tensors per user, or one set for all: ``{slot: (B or 1, *shape)}``.

    A head applies a slot through this class, so weights need not be built. ``tensors`` builds them:
    they are the format in which weights travel from the half that generates to the half that
    scores.
    """

    @property
    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """The tensor of each slot."""

    @abstractmethod
    def apply(self, slot: str, x: Float[Tensor, "B #C I"]) -> Float[Tensor, "B #C O"]:
        """Return x W with each user's own matrix W (I, O)."""

    @abstractmethod
    def shift(self, slot: str, x: Float[Tensor, "B #C O"]) -> Float[Tensor, "B #C O"]:
        """Return x + b with each user's own bias b (O,)."""

    @abstractmethod
    def first(self, rows: int) -> Weights:
        """Return the weights of the first `rows` users."""

    def __add__(self, other: Weights) -> Weights:
        """Add slot by slot."""
        return _SummedWeights(self, other)

    def saturated(self, limit: float, rows: int = 16) -> Float[Tensor, ""]:
        """Return the share of entries at or beyond the clip, over the first `rows` users."""
        tensors = self.first(rows).tensors.values()
        sample = torch.cat([tensor.detach().flatten(1) for tensor in tensors], 1)
        return (sample.abs() >= limit).float().mean()


@final
class BuiltWeights(Weights):
    """Weights that are stored as tensors."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.built = dict(tensors)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The tensor of each slot."""
        return self.built

    def apply(self, slot: str, x: Float[Tensor, "B #C I"]) -> Float[Tensor, "B #C O"]:
        """Return x W."""
        matrix = self.built[slot]
        return torch.matmul(x, matrix[0] if matrix.shape[0] == 1 else matrix)

    def shift(self, slot: str, x: Float[Tensor, "B #C O"]) -> Float[Tensor, "B #C O"]:
        """Return x + b."""
        return x + self.built[slot][:, None]

    def first(self, rows: int) -> Weights:
        """Return the weights of the first `rows` users."""
        return BuiltWeights({slot: tensor[:rows] for slot, tensor in self.built.items()})


@final
class ProjectedWeights(Weights):
    """Output of a generator: for each slot, ``scale`` times a projection of z (B, K).

    The result is clipped at ``limit``; without a ``limit`` nothing is clipped. The clip is an
    `InwardClip`, or a hard clip if not `inward`.
    """

    def __init__(
        self,
        z: Float[Tensor, "B K"],
        projections: Mapping[str, nn.Linear],
        slots: Slots,
        *,
        scale: float = 1.0,
        limit: float | None = None,
        inward: bool = True,
    ) -> None:
        self.z, self.projections, self.slots = z, projections, slots
        self.scale, self.limit, self.inward = scale, limit, inward

    def clamp(self, limit: float, *, inward: bool = True) -> ProjectedWeights:
        """Return these weights clipped to [-limit, limit] (Eq. 12), by `InwardClip` if `inward`."""
        return ProjectedWeights(
            self.z, self.projections, self.slots, scale=self.scale, limit=limit, inward=inward
        )

    @property
    def unscaled_limit(self) -> float | None:
        """The limit for the projection before scaling, None without a clip or with scale 0."""
        return self.limit / self.scale if self.limit is not None and self.scale else None

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The tensor of each slot."""
        return {slot: self.flat(slot).unflatten(1, shape) for slot, shape in self.slots.items()}

    def flat(self, slot: str) -> Float[Tensor, "B IO"]:
        """Return a slot's tensors, each as one row."""
        projection = self.projections[slot]
        return self.scaled(self.clip(F.linear(self.z, projection.weight, projection.bias)))

    def scaled(self, x: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Multiply the output of a projection by the scale."""
        return x if self.scale == 1 else self.scale * x

    def clip(self, x: Float[Tensor, "*N"]) -> Float[Tensor, "*N"]:
        """Clip the output of a projection."""
        limit = self.unscaled_limit
        if limit is None:
            return x
        if not self.inward:
            return x.clamp(-limit, limit)
        clipped: Tensor = InwardClip.apply(x, limit)  # type: ignore[no-untyped-call]
        return clipped

    def apply(self, slot: str, x: Float[Tensor, "B #C I"]) -> Float[Tensor, "B #C O"]:
        """Return x W without building all of W; a single z serves any number of rows."""
        if len(self.z) == 1 < len(x):
            return torch.matmul(x, self.tensors[slot][0])
        weight, bias = self.projections[slot].weight, self.projections[slot].bias
        limit, inward = self.unscaled_limit, self.inward
        return self.scaled(generated_product(x, self.z, weight, bias, limit=limit, inward=inward))

    def shift(self, slot: str, x: Float[Tensor, "B #C O"]) -> Float[Tensor, "B #C O"]:
        """Return x + b."""
        return x + self.flat(slot)[:, None]

    def first(self, rows: int) -> Weights:
        """Return the weights of the first `rows` users."""
        return ProjectedWeights(
            self.z[:rows],
            self.projections,
            self.slots,
            scale=self.scale,
            limit=self.limit,
            inward=self.inward,
        )


@final
class _SummedWeights(Weights):
    """The slot-wise sum of two weights; x (V + W) is x V + x W, so neither is built."""

    def __init__(self, one: Weights, other: Weights) -> None:
        self.one, self.other = one, other

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """The tensor of each slot."""
        return {
            slot: tensor + self.other.tensors[slot] for slot, tensor in self.one.tensors.items()
        }

    def apply(self, slot: str, x: Float[Tensor, "B #C I"]) -> Float[Tensor, "B #C O"]:
        """Return x V + x W."""
        return self.one.apply(slot, x) + self.other.apply(slot, x)

    def shift(self, slot: str, x: Float[Tensor, "B #C O"]) -> Float[Tensor, "B #C O"]:
        """Return x + both biases."""
        return self.other.shift(slot, self.one.shift(slot, x))

    def first(self, rows: int) -> Weights:
        """Return the weights of the first `rows` users."""
        return _SummedWeights(self.one.first(rows), self.other.first(rows))


def bound(shape: tuple[int, ...]) -> float:
    """Return the range of a slot's uniform start, 1 / sqrt(rows), as in `torch.nn.Linear`."""
    return 1 / math.sqrt(shape[0])
