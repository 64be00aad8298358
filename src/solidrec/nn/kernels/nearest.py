"""The nearest of many codes, by matrix products."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

_CLOSENESS = {"cpu": 1 << 20}
"""Floats of vector-to-code closeness at a time: on a CPU what stays in a cache."""
_CLOSENESS_ELSEWHERE = 1 << 26


def nearest_code(
    vectors: Float[Tensor, "*N D"],
    codes: Float[Tensor, "K D"],
    distance: Literal["euclidean", "cosine"] = "euclidean",
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
    rows = max(1, _CLOSENESS.get(vectors.device.type, _CLOSENESS_ELSEWHERE) // len(codes))
    # max and its index are found several times faster than argmax alone
    found = [
        torch.addmm(offset, part, codes.T).max(1).indices
        for part in vectors.flatten(0, -2).split(rows)
    ]
    return torch.cat(found).view(vectors.shape[:-1])
