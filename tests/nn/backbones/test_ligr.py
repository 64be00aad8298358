"""LiGR blocks against their equations in NumPy loops."""

from __future__ import annotations

import math

import numpy as np
from tests.nn.backbones.equations import Array, D, attend, compare, linear, norm, sigmoid


def ligr(p: dict[str, Array], items: Array, candidates: Array) -> Array:
    """x + sigmoid(x W) * f(norm(x)): causal attention, SwiGLU; input sqrt(D) items + positions."""
    if len(items) == 0:
        return np.zeros((1, D))
    x = items * math.sqrt(D) + p["position.weight"][: len(items)]
    for b in ("blocks.0", "blocks.1"):
        normed = np.stack([norm(p, f"{b}.norm_attention", row) for row in x])
        mixed = attend(p, f"{b}.attention", normed, [range(i + 1) for i in range(len(x))])
        x = np.stack(
            [
                row + sigmoid(linear(p, f"{b}.gate_attention", row)) * m
                for row, m in zip(x, mixed, strict=True)
            ]
        )
        for i, row in enumerate(x):
            rise = p[f"{b}.rise.weight"] @ norm(p, f"{b}.norm_feed_forward", row)
            fed = p[f"{b}.fall.weight"] @ (rise[: 4 * D] * sigmoid(rise[: 4 * D]) * rise[4 * D :])
            x[i] = row + sigmoid(linear(p, f"{b}.gate_feed_forward", row)) * fed
    return norm(p, "norm", x[-1])[None]


def test_ligr_is_its_papers_equations() -> None:
    compare("ligr", ligr)
