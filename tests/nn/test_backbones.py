"""Each backbone against its paper's equations in NumPy loops; only the parameters are shared."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from solidrec.nn.backbones import Backbone
from solidrec.nn.backbones.bsarec import fourier
from solidrec.nn.masks import causal, last_valid
from solidrec.registry import BACKBONES

Array = NDArray[np.float64]
D, L, C, HEADS = 8, 6, 3, 2
LENGTHS = [0, 1, 3, 6]


def make(name: str) -> Backbone:
    torch.manual_seed(0)
    backbone = BACKBONES[name](D, length=L, blocks=2, heads=HEADS, dropout=0.0).double()
    for parameter in backbone.parameters():
        parameter.data.add_(
            0.1 * torch.randn_like(parameter)
        )  # norms and PReLUs leave their special start
    return backbone.eval()


def inputs() -> tuple[Tensor, Tensor, Tensor]:
    """Embedded items with noise in the padding too, their mask, and candidates."""
    generator = torch.Generator().manual_seed(1)
    items = torch.randn(len(LENGTHS), L, D, generator=generator, dtype=torch.float64)
    candidates = torch.randn(len(LENGTHS), C, D, generator=generator, dtype=torch.float64)
    return items, torch.arange(L) < torch.tensor(LENGTHS)[:, None], candidates


def compare(name: str, naive: Any) -> None:
    """Compare on every user; `naive` gets parameters, one user's valid items and the candidates."""
    backbone = make(name)
    items, mask, candidates = inputs()
    got = backbone(items * mask[..., None], mask, candidates).detach().numpy()
    p = {key: value.detach().numpy() for key, value in backbone.state_dict().items()}
    for user, n in enumerate(LENGTHS):
        expected = naive(p, items[user, :n].numpy(), candidates[user].numpy())
        np.testing.assert_allclose(got[user], expected, rtol=1e-9, atol=1e-12)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def prelu(x: Array, slope: Array) -> Array:
    return np.where(x > 0, x, slope * x)


def layer_norm(x: Array, gain: Array, shift: Array) -> Array:
    return gain * (x - x.mean()) / np.sqrt(x.var() + 1e-5) + shift


def gelu(x: Array) -> Array:
    return np.array([0.5 * value * (1 + math.erf(value / math.sqrt(2))) for value in x])


def linear(p: dict[str, Array], name: str, x: Array) -> Array:
    return p[f"{name}.weight"] @ x + p[f"{name}.bias"]


def norm(p: dict[str, Array], name: str, x: Array) -> Array:
    return layer_norm(x, p[f"{name}.weight"], p[f"{name}.bias"])


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


def attend(p: dict[str, Array], name: str, x: Array, attn_mask: list[range]) -> Array:
    """softmax(Q K^T / sqrt(d)) V a head, heads side by side, then the output projection."""
    d = D // HEADS
    out = np.zeros_like(x)
    for i in range(len(x)):
        q = linear(p, f"{name}.qkv_proj", x[i])[:D]
        heads = []
        for h in range(HEADS):
            part = slice(h * d, (h + 1) * d)
            keys = [linear(p, f"{name}.qkv_proj", x[j])[D : 2 * D][part] for j in attn_mask[i]]
            values = [linear(p, f"{name}.qkv_proj", x[j])[2 * D :][part] for j in attn_mask[i]]
            score = np.exp([q[part] @ key / math.sqrt(d) for key in keys])
            heads.append(
                sum(s * value for s, value in zip(score / score.sum(), values, strict=True))
            )
        out[i] = linear(p, f"{name}.out_proj", np.concatenate(heads))
    return out


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


NAIVE = {
    "gru4rec": gru4rec,
    "din": din,
    "sasrec": sasrec,
    "bert4rec": bert4rec,
    "ligr": ligr,
    "bsarec": bsarec,
}


@pytest.mark.parametrize("name", list(BACKBONES))
def test_equals_its_papers_equations(name: str) -> None:
    compare(name, NAIVE[name])


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


@pytest.mark.parametrize("name", list(BACKBONES))
def test_one_state_a_user_or_one_a_candidate(name: str) -> None:
    assert make(name)(*inputs()).shape == (len(LENGTHS), C if name == "din" else 1, D)


@pytest.mark.parametrize("name", list(BACKBONES))
def test_what_stands_in_the_padding_is_not_read(name: str) -> None:
    """Nor does it get a gradient."""
    backbone = make(name)
    items, mask, candidates = inputs()
    items.requires_grad_(True)
    state = backbone(items, mask, candidates)
    torch.testing.assert_close(state, backbone(items * mask[..., None], mask, candidates))
    state.square().sum().backward()
    assert items.grad is not None
    assert not items.grad[~mask].any()
    assert (items.grad[mask].abs().sum(-1) > 0).all()


@pytest.mark.parametrize("name", list(BACKBONES))
def test_dropout_is_off_in_eval_mode_and_on_in_training(name: str) -> None:
    torch.manual_seed(0)
    backbone = BACKBONES[name](D, length=L, blocks=1, heads=HEADS, dropout=0.5).double()
    batch = inputs()
    assert torch.equal(backbone.eval()(*batch), backbone(*batch))
    assert not torch.equal(backbone.train()(*batch), backbone(*batch))


@pytest.mark.parametrize(
    ("name", "causal_attention"),
    [("sasrec", True), ("bert4rec", False), ("ligr", True), ("bsarec", False)],
)
def test_which_attention_is_causal(name: str, causal_attention: bool) -> None:
    """Causal: the first position's output ignores the second item; BSARec's filter reads it."""
    backbone = make(name)
    first = []
    backbone.blocks[0].register_forward_hook(lambda module, args, out: first.append(out[3, 0]))
    items, mask, candidates = inputs()
    backbone(items, mask, candidates)
    items[3, 1] *= -1
    backbone(items, mask, candidates)
    assert torch.allclose(first[0], first[1]) == causal_attention


def test_causal_mask() -> None:
    """A position reads itself and those before it."""
    assert causal(3, torch.device("cpu"))[0].int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


def test_last_valid_state() -> None:
    states = torch.arange(12.0).reshape(2, 3, 2)
    assert last_valid(
        states, torch.tensor([[True, True, False], [False, False, False]])
    ).tolist() == [[2.0, 3.0], [0.0, 0.0]]
    assert last_valid(states, torch.ones(2, 3, dtype=torch.bool)).tolist() == [
        [4.0, 5.0],
        [10.0, 11.0],
    ]
