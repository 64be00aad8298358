"""The nearest of many codes, by matrix products."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

_CLOSENESS = {"cpu": 1 << 20}
"""Vector-to-code scores that are computed at a time: on a CPU, as many as stay in a cache."""
_CLOSENESS_ELSEWHERE = 1 << 26


def nearest_code(
    vectors: Float[Tensor, "*N D"],
    codes: Float[Tensor, "K D"],
    distance: Literal["euclidean", "cosine"] = "euclidean",
) -> Int[Tensor, "*N"]:
    """Return the index of the code nearest to each vector.

    Matrix products cover as many rows as fit into a cache. |x|^2, which is the same for all codes,
    is left out of |x - c|^2 = |x|^2 - 2 x.c + |c|^2. Memory is bounded by `_CLOSENESS` floats,
    however many vectors and codes there are.

    >>> vectors, codes = torch.tensor([[0.9, 0.0]]), torch.tensor([[5.0, 0.0], [0.0, 1.0]])
    >>> nearest_code(vectors, codes, "cosine").item()
    0
    """
    if distance == "cosine":
        codes, offset = F.normalize(codes, dim=1), codes.new_zeros(len(codes))
    else:
        # The nearest code has the largest x.c - |c|^2 / 2.
        offset = -0.5 * codes.square().sum(1)
    rows = max(1, _CLOSENESS.get(vectors.device.type, _CLOSENESS_ELSEWHERE) // len(codes))
    # `max` finds the index several times faster than `argmax`.
    found = [
        torch.addmm(offset, part, codes.T).max(1).indices
        for part in vectors.flatten(0, -2).split(rows)
    ]
    return torch.cat(found).view(vectors.shape[:-1])
