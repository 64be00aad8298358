"""BERT4Rec against its equations in NumPy loops."""

from __future__ import annotations

import numpy as np
from tests.nn.backbones.equations import Array, attend, compare, gelu, linear, norm


def bert4rec(p: dict[str, Array], items: Array, candidates: Array) -> Array:
    """norm(x + f(x)) without a causal mask; the mask token after the last item is the state."""
    x = np.concatenate([items, p["token"][None]]) + p["position.weight"][: len(items) + 1]
    x = np.stack([norm(p, "norm", row) for row in x])
    for b in ("blocks.0", "blocks.1"):
        mixed = attend(p, f"{b}.attention", x, [range(len(x))] * len(x))
        x = np.stack(
            [norm(p, f"{b}.norm_attention", row + m) for row, m in zip(x, mixed, strict=True)]
        )
        feed_forward = [
            linear(p, f"{b}.feed_forward.2", gelu(linear(p, f"{b}.feed_forward.0", row)))
            for row in x
        ]
        x = np.stack(
            [
                norm(p, f"{b}.norm_feed_forward", row + w)
                for row, w in zip(x, feed_forward, strict=True)
            ]
        )
    return x[-1:]


def test_bert4rec_is_its_papers_equations() -> None:
    compare("bert4rec", bert4rec)
