"""The codebook losses by hand, and how a gradient passes the look-up."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from solidrec.nn.codebook_loss import LOSSES, _rotation, _straight_through, shares, square

ITEMS = torch.tensor([[[1.0, 0.0], [8.0, 2.0]]])
READ = torch.tensor([[[0.0, 0.0], [10.0, 0.0]]])  # squares 1 + 0 and 4 + 4; mean over D .5 and 4


def test_shares_sum_to_one_unless_all_weights_are_zero() -> None:
    assert shares(torch.tensor([[1.0, 3.0], [0.0, 4.0]])).tolist() == [[1 / 8, 3 / 8], [0.0, 4 / 8]]
    assert not shares(torch.zeros(2, 3)).any()


def test_a_square_is_the_mean_over_the_numbers_weighed_over_the_positions() -> None:
    share = torch.tensor([[0.75, 0.25]])
    assert float(square(ITEMS, READ, share)) == pytest.approx(0.75 * 0.5 + 0.25 * 4)
    assert square(ITEMS, ITEMS + 1, shares(torch.zeros(1, 2))) == 0


@pytest.mark.parametrize(
    ("name", "to_items", "to_codes"),
    [("pair", 0.25, 1.0), ("literal", 1.0, 1.0), ("ema", 0.25, 0.0), ("constant", 0.0, 0.0)],
)
def test_each_loss_moves_what_it_says(name: str, to_items: float, to_codes: float) -> None:
    """d square / d items = share 2 (items - read) / D, and the opposite for the codes."""
    items, read = ITEMS.clone().requires_grad_(True), READ.clone().requires_grad_(True)
    share = torch.tensor([[0.75, 0.25]])
    slope = share[..., None] * 2 * (ITEMS - READ) / 2
    loss = LOSSES[name](items, read, share)
    moved = torch.zeros(()) if not loss.requires_grad else loss
    found = torch.autograd.grad(moved + 0 * (items.sum() + read.sum()), (items, read))
    torch.testing.assert_close(found, (to_items * slope, -to_codes * slope))
    value = {"pair": 1.25, "literal": 1.0, "ema": 0.25, "constant": 0.0}[name]
    assert float(loss.detach()) == pytest.approx(value * (0.75 * 0.5 + 0.25 * 4))


def test_straight_through_is_the_code_with_the_vectors_gradient(vectors: Tensor) -> None:
    found = torch.randn_like(vectors).requires_grad_(True)
    vectors.requires_grad_(True)
    out = _straight_through(vectors, found)
    torch.testing.assert_close(out, found)
    gradient = torch.randn_like(out)
    out.backward(gradient)
    assert vectors.grad is not None
    assert torch.equal(vectors.grad, gradient)
    assert found.grad is None


def test_rotation_is_the_code_with_a_turned_gradient(vectors: Tensor) -> None:
    """q = (|q| / |e|) R e; the gradient is scaled by |q| / |e|, its angle to the vector stays."""
    found = torch.randn_like(vectors)
    vectors.requires_grad_(True)
    out = _rotation(vectors, found)
    torch.testing.assert_close(out, found, rtol=1e-4, atol=1e-5)
    gradient = torch.randn_like(out)
    out.backward(gradient)
    assert vectors.grad is not None
    scale = found.norm(dim=-1) / vectors.detach().norm(dim=-1)
    torch.testing.assert_close(
        vectors.grad.norm(dim=-1), scale * gradient.norm(dim=-1), rtol=1e-4, atol=1e-5
    )
    before, after = (
        torch.cosine_similarity(gradient, found, dim=-1),
        torch.cosine_similarity(vectors.grad, vectors, dim=-1),
    )
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4)


def test_rotation_of_opposite_and_zero_vectors_is_finite() -> None:
    vectors = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [1.0, 0.0]], requires_grad=True)
    found = torch.tensor([[-2.0, 0.0], [1.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    out = _rotation(vectors, found)
    out.sum().backward()
    assert out[[0, 2, 3]].tolist() == found[[0, 2, 3]].tolist()
    assert out.isfinite().all()
    assert vectors.grad is not None
    assert vectors.grad.isfinite().all()
