"""x W(z) in blocks against W(z) written down."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from solidrec.nn.kernels import product
from solidrec.nn.kernels.clip import InwardClip
from solidrec.nn.kernels.product import generated_product

N, IN, OUT, K = 11, 3, 4, 5


def plain(
    x: Tensor, z: Tensor, weight: Tensor, bias: Tensor, limit: float | None, inward: bool
) -> Tensor:
    """The equation, with every user's matrix in memory."""
    flat = z @ weight.T + bias
    if limit is not None:
        flat = InwardClip.apply(flat, limit) if inward else flat.clamp(-limit, limit)
    return torch.matmul(x, flat.view(len(x), IN, OUT))


@pytest.fixture(params=[1, 4, 100])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Rows in a block: one, some with a rest, all."""
    monkeypatch.setattr(product, "_ROWS", {"cpu": request.param})
    return int(request.param)


@pytest.mark.parametrize("candidates", [1, 3])
@pytest.mark.parametrize(("limit", "inward"), [(None, True), (0.5, True), (0.5, False)])
@pytest.mark.parametrize("learned", [(True, True), (False, False), (False, True), (True, False)])
def test_equals_the_matrices_written_down(
    rows: int, candidates: int, limit: float | None, inward: bool, learned: tuple[bool, bool]
) -> None:
    """Values and all gradients, in float64, so that nothing but rounding is allowed."""
    torch.manual_seed(0)
    shapes = ((N, candidates, IN), (N, K), (IN * OUT, K), (IN * OUT,))
    tensors = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    seed = torch.randn(N, candidates, OUT, dtype=torch.float64)
    found = []
    for function in (
        lambda *t: generated_product(*t, limit=limit, inward=inward),
        lambda *t: plain(*t, limit, inward),
    ):
        given = [t.clone().requires_grad_(i < 2 or learned[i - 2]) for i, t in enumerate(tensors)]
        y = function(*given)
        y.backward(seed)
        found.append([y.detach(), *(t.grad for t in given)])
    for mine, theirs in zip(*found, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            torch.testing.assert_close(mine, theirs)


def test_no_rows_give_no_rows() -> None:
    x, z, weight, bias = (
        torch.zeros(shape) for shape in ((0, 1, IN), (0, K), (IN * OUT, K), (IN * OUT,))
    )
    assert generated_product(x, z, weight, bias).shape == (0, 1, OUT)


def test_a_value_on_the_clip_is_inside() -> None:
    """z A = 1 at a clip of 1: the gradient passes either way."""
    z = torch.tensor([[1.0]], requires_grad=True)
    for sign in (1.0, -1.0):
        z.grad = None
        generated_product(
            torch.full((1, 1, 1), sign), z, torch.ones(1, 1), torch.zeros(1), limit=1.0
        ).sum().backward()
        assert z.grad is not None
        assert z.grad.item() == sign


def test_its_memory_does_not_hold_everybodys_matrix() -> None:
    """No tensor of N x I x O is made, forward or backward."""
    made: list[int] = []

    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            out = func(*args, **(kwargs or {}))
            made.extend(
                t.numel()
                for t in (out if isinstance(out, tuple) else (out,))
                if isinstance(t, Tensor)
            )
            return out

    n, d = 4096, 32
    x, z = torch.randn(n, 1, d, requires_grad=True), torch.randn(n, d, requires_grad=True)
    weight, bias = torch.randn(d * d, d, requires_grad=True), torch.randn(d * d, requires_grad=True)
    for limit in (None, 0.1):
        with Watch():
            generated_product(x, z, weight, bias, limit=limit).sum().backward()
    assert max(made) < n * d * d / 8
