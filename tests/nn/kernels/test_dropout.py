"""Dropout drops the stated share, keeps the mean, and is repeatable."""

from __future__ import annotations

import math

import pytest
import torch

from solidrec.nn.kernels.dropout import Dropout


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
def test_share_and_mean(rate: float) -> None:
    """The share is `rate` to 1/512 by rounding and 5 deviations by chance; the mean is restored."""
    torch.manual_seed(0)
    n, dropped = 256_000, round(rate * 256) / 256
    out = Dropout(rate).train()(torch.ones(n))
    chance = 5 * math.sqrt(dropped * (1 - dropped) / n)
    assert float((out == 0).float().mean()) == pytest.approx(dropped, abs=chance)
    assert dropped == pytest.approx(rate, abs=1 / 512)
    assert set(out.unique().tolist()) == {0.0, float(torch.tensor(1 / (1 - dropped)))}
    lanes = (out.view(-1, 8) == 0).float()  # eight decisions come from one random number
    assert torch.allclose(
        lanes.mean(0), torch.tensor(dropped), atol=5 * math.sqrt(dropped * (1 - dropped) / (n / 8))
    )
    assert (torch.corrcoef(lanes.T) - torch.eye(8)).abs().max() < 5 / math.sqrt(n / 8)


@pytest.mark.parametrize("shape", [(), (1,), (7,), (8,), (3, 5, 2), (0, 4)])
def test_any_shape(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    out = Dropout(0.5).train()(torch.ones(shape))
    assert out.shape == shape
    assert out.dtype == torch.float32
    assert set(out.unique().tolist()) <= {0.0, 2.0}


def test_gradient_passes_where_the_value_did() -> None:
    torch.manual_seed(0)
    x = torch.ones(100, requires_grad=True)
    out = Dropout(0.5).train()(x)
    out.sum().backward()
    assert x.grad is not None
    assert torch.equal(x.grad, out.detach())


@pytest.mark.parametrize("rate", [0.0, 0.001])
def test_nothing_is_dropped_at_rate_zero(rate: float) -> None:
    """And a rate that rounds to 0 / 256 is 0."""
    assert torch.equal(Dropout(rate).train()(torch.ones(5000)), torch.ones(5000))


def test_the_highest_rates_keep_one_in_256() -> None:
    torch.manual_seed(0)
    out = Dropout(0.999).train()(torch.ones(100_000))
    assert set(out.unique().tolist()) == {0.0, 256.0}


def test_same_seed_same_bits_and_new_ones_at_each_call() -> None:
    dropout = Dropout(0.5).train()
    torch.manual_seed(3)
    one, next_one = dropout(torch.ones(100)), dropout(torch.ones(100))
    torch.manual_seed(3)
    assert torch.equal(dropout(torch.ones(100)), one)
    assert not torch.equal(one, next_one)
