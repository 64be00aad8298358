"""The generator against an explicit loop over users, and where it starts."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from solidrec.nn.generator import Generator
from solidrec.nn.heads import FullHead, LowRankHead

D = 8
SLOTS = {"full": FullHead(D).slots, "low-rank": LowRankHead(D, 4).slots}


@pytest.mark.parametrize("limit", [None, 0.01])
@pytest.mark.parametrize("head", list(SLOTS))
def test_equals_a_loop_over_users(head: str, limit: float | None) -> None:
    """GRU over valid items, tanh(W2 tanh(W1 h + b1) + b2), affine per slot (times T if clipped)."""
    torch.manual_seed(0)
    generator = Generator(SLOTS[head], D, limit=limit).double()
    sequence = torch.randn(4, 5, D, dtype=torch.float64)
    lengths = [0, 1, 3, 5]
    weights = generator(sequence, torch.arange(5) < torch.tensor(lengths)[:, None]).tensors
    p = generator.state_dict()
    for user, n in enumerate(lengths):
        h = torch.zeros(D, dtype=torch.float64)
        for x in sequence[user, :n]:
            h = gru_step(p, x, h)
        z = torch.tanh(p["mlp.0.weight"] @ h + p["mlp.0.bias"])
        z = torch.tanh(p["mlp.2.weight"] @ z + p["mlp.2.bias"])
        for slot, shape in SLOTS[head].items():
            flat = p[f"projections.{slot}.weight"] @ z + p[f"projections.{slot}.bias"]
            torch.testing.assert_close(weights[slot][user], (limit or 1) * flat.reshape(shape))


def gru_step(p: dict[str, Tensor], x: Tensor, h: Tensor) -> Tensor:
    """r, z = gates; n = tanh(W x + r (U h)); (1 - z) n + z h."""
    read = (p["encoder.weight_ih_l0"] @ x + p["encoder.bias_ih_l0"]).chunk(3)
    kept = (p["encoder.weight_hh_l0"] @ h + p["encoder.bias_hh_l0"]).chunk(3)
    r, z = torch.sigmoid(read[0] + kept[0]), torch.sigmoid(read[1] + kept[1])
    return (1 - z) * torch.tanh(read[2] + r * kept[2]) + z * h


@pytest.mark.parametrize("limit", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("dim", [1, 8, 64])
def test_starts_inside_the_clip(dim: int, limit: float) -> None:
    """|w| <= D * 1 * T / (2 D) = T / 2 whatever the history, however large its embeddings."""
    torch.manual_seed(0)
    generator = Generator(FullHead(dim).slots, dim, limit=limit)
    weights = generator(100 * torch.randn(50, 5, dim), torch.ones(50, 5, dtype=torch.bool)).tensors
    largest = max(float(tensor.detach().abs().max()) for tensor in weights.values())
    assert largest <= limit / 2
    assert largest > 0 or limit == 0


def test_starts_as_a_static_layer_without_a_limit() -> None:
    """Biases are U(-1/sqrt(D), 1/sqrt(D)), deviation 1 / sqrt(3 D); users do not start alike."""
    torch.manual_seed(0)
    generator = Generator(FullHead(64).slots, 64)
    bias = generator.projections["weight0"].bias.detach()
    assert bias.abs().max() <= 1 / math.sqrt(64)
    assert float(bias.std()) == pytest.approx(1 / math.sqrt(3 * 64), rel=0.05)
    weights = generator(torch.randn(2, 5, 64), torch.ones(2, 5, dtype=torch.bool)).tensors[
        "weight0"
    ]
    assert float((weights[0] - weights[1]).detach().abs().max()) > 0.001


def test_an_empty_history_has_the_weights_of_a_zero_state() -> None:
    torch.manual_seed(0)
    generator = Generator({"a": (2, 3)}, D)
    mask = torch.zeros(2, 4, dtype=torch.bool)
    weights = generator(torch.randn(2, 4, D), mask).tensors["a"]
    assert torch.equal(weights[0], weights[1])
    assert torch.equal(weights, generator(torch.randn(2, 1, D), mask[:, :1]).tensors["a"])


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_dropout_acts_on_what_the_projections_read(dropout: float) -> None:
    """No entry of z is 0 by itself: it is a tanh of continuous values."""
    torch.manual_seed(0)
    generator = Generator(SLOTS["full"], D, dropout=dropout)
    sequence, mask = torch.randn(500, 3, D), torch.ones(500, 3, dtype=torch.bool)
    z = generator(sequence, mask).z
    assert (z == 0).float().mean().item() == pytest.approx(dropout, abs=0.03)
    assert (generator.eval()(sequence, mask).z != 0).all()
