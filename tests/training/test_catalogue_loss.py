from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from solidrec.training import catalogue_loss
from solidrec.training.catalogue_loss import catalogue_cross_entropy


def given() -> tuple[Tensor, Tensor, Tensor]:
    random = torch.Generator().manual_seed(0)
    users = torch.randn(7, 5, generator=random, requires_grad=True)
    table = torch.randn(12, 5, generator=random, requires_grad=True)
    return users, table, torch.tensor([1, 11, 3, 3, 7, 2, 11])


@pytest.mark.parametrize("cells", [1, 30, 1 << 20])
def test_value_and_gradients_are_those_of_the_plain_form(
    cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_loss, "_CELLS", cells)
    users, table, targets = given()
    plain = F.cross_entropy(users @ table[1:].T, targets - 1)
    wanted = torch.autograd.grad(3 * plain, (users, table))
    found = catalogue_cross_entropy(users, table, targets)
    assert found.item() == pytest.approx(plain.item(), rel=1e-6)
    for gradient, other in zip(torch.autograd.grad(3 * found, (users, table)), wanted, strict=True):
        torch.testing.assert_close(gradient, other)


def test_padding_has_no_gradient() -> None:
    users, table, targets = given()
    catalogue_cross_entropy(users, table, targets).backward()
    assert table.grad is not None
    assert not table.grad[0].any()
    assert table.grad[1:].any(1).all()


def test_huge_logits_are_finite() -> None:
    users, table, targets = given()
    loss = catalogue_cross_entropy(1e4 * users, table, targets)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(table.grad if table.grad is not None else torch.tensor(torch.nan)).all()


def test_it_runs_where_there_is_no_gradient_to_take() -> None:
    users, table, targets = (tensor.detach() for tensor in given())
    assert torch.isfinite(catalogue_cross_entropy(users, table, targets))
