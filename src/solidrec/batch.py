"""The input and the output of a model: `Batch` and `Scores`."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class Batch(NamedTuple):
    """Histories and the candidates to be scored for them.

    ``history`` (B, L) holds item indices, oldest first, padded with 0 on the right. ``candidates``
    (N, C) has one row per target; ``labels`` (N, C) are in {0, 1}. In training C = 1 + negatives,
    and column 0 is the target. ``prefix_ends`` (N,) are indices into B L, up to which each row of
    candidates reads its history; without them N = B and each row reads all of it. ``shared`` (S,)
    are negatives for all rows of a training step, for losses that use them.
    """

    history: Int[Tensor, "B L"]
    candidates: Int[Tensor, "N C"]
    labels: Float[Tensor, "N C"]
    prefix_ends: Int[Tensor, " N"] | None = None
    shared: Int[Tensor, " S"] | None = None


class Scores(NamedTuple):
    """A model's ``logits`` (N, C), ``codebook_loss`` () and ``stats``.

    Eq. 13 weights the loss with lambda; it is 0 without a codebook. The statistics are logged in
    training and describe the generated weights: their saturated share, the chosen codes.
    """

    logits: Float[Tensor, "N C"]
    codebook_loss: Float[Tensor, ""]
    stats: dict[str, Tensor]
