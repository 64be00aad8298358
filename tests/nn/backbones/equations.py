"""What the oracles of the backbones share: small inputs, and the layers in NumPy loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from solidrec.backbone_spec import TransformerSpec, settings_of
from solidrec.nn.backbones import Backbone
from solidrec.registry import BACKBONES

Array = NDArray[np.float64]
D, L, C, HEADS = 8, 6, 3, 2
LENGTHS = [0, 1, 3, 6]


def new(name: str, *, blocks: int, dropout: float) -> Backbone:
    """A backbone of as many blocks, if it has any."""
    own = {"blocks": blocks, "heads": HEADS} if settings_of(name) is TransformerSpec else {}
    made: Backbone = BACKBONES[name](D, length=L, dropout=dropout, **own).double()
    return made


def make(name: str) -> Backbone:
    torch.manual_seed(0)
    backbone = new(name, blocks=2, dropout=0.0)
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


def layer_norm(x: Array, gain: Array, shift: Array) -> Array:
    return gain * (x - x.mean()) / np.sqrt(x.var() + 1e-5) + shift


def gelu(x: Array) -> Array:
    return np.array([0.5 * value * (1 + math.erf(value / math.sqrt(2))) for value in x])


def linear(p: dict[str, Array], name: str, x: Array) -> Array:
    return p[f"{name}.weight"] @ x + p[f"{name}.bias"]


def norm(p: dict[str, Array], name: str, x: Array) -> Array:
    return layer_norm(x, p[f"{name}.weight"], p[f"{name}.bias"])


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
