"""GRU4Rec against the equations of a GRU in NumPy loops."""

from __future__ import annotations

import numpy as np
from tests.nn.backbones.equations import Array, D, compare, sigmoid


def gru4rec(p: dict[str, Array], items: Array, candidates: Array) -> Array:
    """h_t = (1 - z) n + z h_(t-1), reset and update gates (Cho et al., 2014); the last state."""
    h = np.zeros(D)
    for x in items:
        a = p["gru.weight_ih_l0"] @ x + p["gru.bias_ih_l0"]
        b = p["gru.weight_hh_l0"] @ h + p["gru.bias_hh_l0"]
        r, z = sigmoid(a[:D] + b[:D]), sigmoid(a[D : 2 * D] + b[D : 2 * D])
        n = np.tanh(a[2 * D :] + r * b[2 * D :])
        h = (1 - z) * n + z * h
    return h[None]


def test_gru4rec_is_its_papers_equations() -> None:
    compare("gru4rec", gru4rec)
