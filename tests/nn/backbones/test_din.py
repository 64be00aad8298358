"""DIN against its activation unit with one matrix, in NumPy loops."""

from __future__ import annotations

import numpy as np
from tests.nn.backbones.equations import Array, D, compare, linear


def prelu(x: Array, slope: Array) -> Array:
    return np.where(x > 0, x, slope * x)


def din(p: dict[str, Array], items: Array, candidates: Array) -> Array:
    """sum_i a(e_i, v) e_i; the unit reads [item, candidate, item - candidate, item * candidate].

    The unit has one matrix. From ours, for any difference block M: item block = I - M, candidate
    block = T + M.
    """
    difference = np.random.default_rng(0).normal(size=(2 * D, D))
    blocks = [
        p["from_item.weight"] - difference,
        p["from_candidate.weight"] + difference,
        difference,
        p["from_product.weight"],
    ]
    big = np.concatenate(blocks, axis=1)
    states = np.zeros((len(candidates), D))
    for c, v in enumerate(candidates):
        for e in items:
            hidden = prelu(
                big @ np.concatenate([e, v, e - v, e * v]) + p["from_item.bias"], p["unit.0.weight"]
            )
            hidden = prelu(linear(p, "unit.1", hidden), p["unit.2.weight"])
            states[c] += linear(p, "unit.3", hidden)[0] * e
    return states


def test_din_is_its_papers_equations() -> None:
    compare("din", din)
