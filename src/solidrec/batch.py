"""What goes into a model and what comes out: `Batch` and `Scores`."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class Batch(NamedTuple):
    """Histories and the candidates that meet them; the candidates of one target travel together.

    ``history`` (B, L) holds item indices, oldest first, padded with 0 on the right; ``candidates`` (N, C);
    ``labels`` (N, C) in {0, 1}. In training C = 1 + negatives, and column 0 is the target. ``prefix_ends`` (N,), indices
    into B L, say up to where each row of candidates reads its history; without them N = B and it reads all of it. ``shared`` (S,)
    are negatives that all rows of a training step meet, where its loss wants such.
    """

    history: Int[Tensor, "B L"]
    candidates: Int[Tensor, "N C"]
    labels: Float[Tensor, "N C"]
    prefix_ends: Int[Tensor, " N"] | None = None
    shared: Int[Tensor, " S"] | None = None


class Scores(NamedTuple):
    """A model's answer: ``logits`` (N, C), and the ``codebook_loss`` () that Eq. 13 weighs with lambda (0 without a codebook).

    ``stats`` holds what training logs about the generated weights, such as the saturated share or the chosen codes.
    """

    logits: Float[Tensor, "N C"]
    codebook_loss: Float[Tensor, ""]
    stats: dict[str, Tensor]
