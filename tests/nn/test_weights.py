"""Weights apply, add, clip and count by hand arithmetic."""

from __future__ import annotations

import pytest
import torch

from solidrec.nn.weights import BuiltWeights, ProjectedWeights, bound


def test_apply_and_shift() -> None:
    """User 0 doubles, user 1 swaps."""
    weights = BuiltWeights(
        {
            "m": torch.tensor([[[2.0, 0], [0, 2]], [[0, 1], [1, 0]]]),
            "b": torch.tensor([[1.0, 0], [0, -1]]),
        }
    )
    x = torch.tensor([[[3.0, 5.0]], [[3.0, 5.0]]])
    assert weights.apply("m", x).tolist() == [[[6.0, 10.0]], [[5.0, 3.0]]]
    assert weights.shift("b", x).tolist() == [[[4.0, 5.0]], [[3.0, 4.0]]]


def test_a_shared_set_adds_to_each_users_own() -> None:
    shared, own = (
        BuiltWeights({"b": torch.tensor([[1.0]])}),
        BuiltWeights({"b": torch.tensor([[1.0], [5.0]])}),
    )
    assert (shared + own).tensors["b"].tolist() == [[1 + 1], [1 + 5]]
    assert (own + shared).tensors["b"].tolist() == [[2.0], [6.0]]


@pytest.mark.parametrize(
    ("inward", "gradient"), [(False, [0, 1, 1, 1, 0]), (True, [0, 1, 1, 1, 1])]
)
def test_clamp_keeps_what_is_inside(inward: bool, gradient: list[int]) -> None:
    """Outside, a hard clip passes no gradient, an inward one only back: 3 may fall, -3 may not."""
    free = torch.tensor([[-3.0, -0.5, 0.0, 0.5, 3.0]], requires_grad=True)
    plain = torch.nn.Linear(5, 5, bias=False)
    plain.weight.data = torch.eye(5)
    plain.bias = torch.nn.Parameter(torch.zeros(5))
    clipped = (
        ProjectedWeights(free, {"b": plain}, {"b": (5,)}).clamp(1.0, inward=inward).tensors["b"]
    )
    assert clipped.tolist() == [[-1.0, -0.5, 0.0, 0.5, 1.0]]
    clipped.sum().backward()
    assert free.grad is not None
    assert free.grad.tolist() == [gradient]


def test_saturated_counts_entries_not_slots() -> None:
    """1 of 2 entries of `a` and 0 of 6 of `b`: 1 / 8, for one user as for two alike."""
    a, b = torch.tensor([[0.5, 2.0]]), torch.zeros(1, 2, 3)
    assert float(BuiltWeights({"a": a, "b": b}).saturated(1.0)) == pytest.approx(1 / 8)
    assert float(
        BuiltWeights({"a": a.repeat(2, 1), "b": b.repeat(2, 1, 1)}).saturated(1.0)
    ) == pytest.approx(1 / 8)
    assert float(BuiltWeights({"a": a}).saturated(2.0)) == pytest.approx(
        1 / 2
    )  # at the clip counts: no gradient passes there


def test_bound_is_what_a_linear_layer_uses() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(64, 64)
    assert bound((64, 64)) == 1 / 8
    assert 0.99 / 8 < float(layer.weight.detach().abs().max()) <= 1 / 8


@pytest.mark.parametrize("rows", [1, 2, 300])
@pytest.mark.parametrize("limit", [None, 0.1])
def test_one_users_generated_weights_serve_many_rows(rows: int, limit: float | None) -> None:
    torch.manual_seed(0)
    slots = {"m": (3, 4), "b": (4,)}
    layers = {"m": torch.nn.Linear(5, 12), "b": torch.nn.Linear(5, 4)}
    weights = ProjectedWeights(torch.randn(1, 5), layers, slots)
    weights = weights if limit is None else weights.clamp(limit)
    x = torch.randn(rows, 2, 3)
    torch.testing.assert_close(weights.apply("m", x), x @ weights.tensors["m"][0])
    torch.testing.assert_close(
        weights.shift("b", torch.zeros(rows, 2, 4)), weights.tensors["b"].expand(rows, 2, 4)
    )
