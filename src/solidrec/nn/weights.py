"""Generated weights: a flat dict of named tensors, and the one thing a head does with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from solidrec.nn.clip import InwardClip

Slots = Mapping[str, tuple[int, ...]]


@final
class Weights:
    """The tensors of a head's slots, one set a user (or one set for all): ``{slot: (B or 1, *shape)}``.

    A head asks a slot to *apply itself*, so another form of weights may answer without building the matrix.
    ``tensors`` is the wire format between the half that generates and the half that scores.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.tensors = dict(tensors)

    def apply(self, slot: str, x: Float[Tensor, "B #C I"]) -> Float[Tensor, "B #C O"]:
        """Return x W with each user's own matrix W (I, O)."""
        matrix = self.tensors[slot]
        return torch.matmul(x, matrix[0] if matrix.shape[0] == 1 else matrix)

    def shift(self, slot: str, x: Float[Tensor, "B #C O"]) -> Float[Tensor, "B #C O"]:
        """Return x + b with each user's own bias b (O,)."""
        return x + self.tensors[slot][:, None]

    def __add__(self, other: Weights) -> Weights:
        """Add slot by slot."""
        return Weights({slot: tensor + other.tensors[slot] for slot, tensor in self.tensors.items()})

    def clamp(self, limit: float, *, inward: bool = True) -> Weights:
        """Return every entry clipped to [-limit, limit] (Clip of Eq. 12); with `inward`, by `InwardClip`."""
        clip = InwardClip.apply if inward else hard_clip
        return Weights({slot: clip(tensor, limit) for slot, tensor in self.tensors.items()})

    def saturated(self, limit: float, rows: int = 64) -> Float[Tensor, ""]:
        """Return the share of entries at or beyond the clip, over the first `rows` users."""
        sample = torch.cat([tensor.detach()[:rows].flatten(1) for tensor in self.tensors.values()], 1)
        return (sample.abs() >= limit).float().mean()


def hard_clip(x: Float[Tensor, "*N"], limit: float) -> Float[Tensor, "*N"]:
    """Clip to [-limit, limit], without a gradient outside."""
    return x.clamp(-limit, limit)


def bound(shape: tuple[int, ...]) -> float:
    """Return the range of a slot's uniform start: 1 / sqrt(rows), what `torch.nn.Linear` uses."""
    return 1 / math.sqrt(shape[0])
