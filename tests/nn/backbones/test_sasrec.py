"""SASRec against its equations in NumPy loops."""

from __future__ import annotations

import math

import numpy as np
from tests.nn.backbones.equations import Array, D, attend, compare, linear, norm


def sasrec(p: dict[str, Array], items: Array, candidates: Array) -> Array:
    """x + f(norm(x)): causal attention, relu(x W1 + b1) W2 + b2; sqrt(D) items + positions."""
    if len(items) == 0:
        return np.zeros((1, D))
    x = items * math.sqrt(D) + p["position.weight"][: len(items)]
    for b in ("blocks.0", "blocks.1"):
        normed = np.stack([norm(p, f"{b}.norm_attention", row) for row in x])
        x = x + attend(p, f"{b}.attention", normed, [range(i + 1) for i in range(len(x))])
        feed_forward = [
            linear(
                p,
                f"{b}.feed_forward.3",
                np.maximum(
                    linear(p, f"{b}.feed_forward.0", norm(p, f"{b}.norm_feed_forward", row)), 0
                ),
            )
            for row in x
        ]
        x = x + np.stack(feed_forward)
    return norm(p, "norm", x[-1])[None]


def test_sasrec_is_its_papers_equations() -> None:
    compare("sasrec", sasrec)
