"""What goes into a model and what comes out: `Batch` and `Scores`."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor


class Batch(NamedTuple):
    """Histories with their candidates; a user's candidates travel together.

    ``history`` (B, L) holds item indices, oldest first, padded with 0 on the right; ``candidates`` (B, C);
    ``labels`` (B, C) in {0, 1}. In training C = 1 + negatives, and column 0 is the target.
    """

    history: Int[Tensor, "B L"]
    candidates: Int[Tensor, "B C"]
    labels: Float[Tensor, "B C"]


class Scores(NamedTuple):
    """A model's answer: ``logits`` (B, C), and ``penalty`` (), the term that Eq. 13 weighs with lambda (0 without a codebook).

    ``stats`` holds what training logs about the generated weights, such as the saturated share or the chosen codes.
    """

    logits: Float[Tensor, "B C"]
    penalty: Float[Tensor, ""]
    stats: dict[str, Tensor]
