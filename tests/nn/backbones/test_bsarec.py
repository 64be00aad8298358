"""BSARec against its equations in NumPy loops and against the Fourier transform."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.nn.backbones.equations import (
    Array,
    D,
    L,
    attend,
    compare,
    gelu,
    inputs,
    linear,
    make,
    norm,
)

from solidrec.nn.backbones.bsarec import fourier


def low_pass(x: Array) -> Array:
    """The first 1 + 5 // 2 frequencies of the real Fourier transform over one history's items."""
    frequencies = np.fft.rfft(x, axis=0)
    frequencies[3:] = 0
    return np.fft.irfft(frequencies, n=len(x), axis=0)


def bsarec(p: dict[str, Array], items: Array, candidates: Array) -> Array:
    """.7 norm(x + low(x) + beta^2 (x - low(x))) + .3 norm(x + attention(x)), then norm(x + f(x)).

    The newest item is at position 0.
    """
    if len(items) == 0:
        return np.zeros((1, D))
    x = items + p["position.weight"][: len(items)][::-1]
    x = np.stack([norm(p, "norm", row) for row in x])
    for b in ("blocks.0", "blocks.1"):
        low = low_pass(x)
        filtered = x + low + p[f"{b}.sharpness"] ** 2 * (x - low)
        attended = x + attend(p, f"{b}.attention", x, [range(i + 1) for i in range(len(x))])
        x = 0.7 * np.stack([norm(p, f"{b}.norm_filter", row) for row in filtered])
        x = x + 0.3 * np.stack([norm(p, f"{b}.norm_attention", row) for row in attended])
        fed = [
            linear(p, f"{b}.feed_forward.2", gelu(linear(p, f"{b}.feed_forward.0", row)))
            for row in x
        ]
        x = np.stack(
            [norm(p, f"{b}.norm_feed_forward", row + f) for row, f in zip(x, fed, strict=True)]
        )
    return x[-1:]


def test_bsarec_is_its_papers_equations() -> None:
    compare("bsarec", bsarec)


@pytest.mark.parametrize("count", range(1, 9))
def test_the_filter_is_that_of_the_fourier_transform(count: int) -> None:
    """For every length, odd and even, short and long; padding has zeros."""
    x = np.random.default_rng(0).normal(size=(count, 3))
    basis = fourier((torch.arange(10) < count)[None], torch.float64)[0].numpy()
    expected = np.concatenate([low_pass(x), np.zeros((10 - count, 3))])
    np.testing.assert_allclose(basis @ basis[:count].T @ x, expected, atol=1e-12)


def test_positions_of_bsarec_count_from_the_newest_item() -> None:
    """Without filter and attention, the state is that of the newest item, at position 0."""
    backbone = make("bsarec")
    items, _, candidates = inputs()
    longer = torch.cat([items[:, 3:], items[:, :3]], 1)  # the third item is last in both
    with torch.no_grad():
        for block in backbone.blocks:
            block.attention.out_proj.weight.zero_()
            block.attention.out_proj.bias.zero_()
            block.sharpness.zero_()
            block.norm_filter.weight.zero_()
    short = backbone(items, torch.arange(L).expand(len(items), L) < 3, candidates)
    torch.testing.assert_close(
        short, backbone(longer, torch.ones(len(items), L, dtype=torch.bool), candidates)
    )
