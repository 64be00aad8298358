"""Dense and sparse Adam against each other and against plain arithmetic."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch

from solidrec.nn.build import build
from solidrec.nn.recommender import Recommender
from solidrec.spec import ModelSpec, TrainSpec
from solidrec.training import optimizer as module
from solidrec.training.optimizer import Optimizer


@pytest.fixture
def model() -> Recommender:
    torch.manual_seed(0)
    return build(ModelSpec(name="static", dim=8, history_length=4), items=30)


def loss(model: Recommender) -> torch.Tensor:
    return model(torch.tensor([[1, 2, 3, 0]]), torch.tensor([[4, 5]])).logits.square().sum()


def test_a_small_table_is_dense_and_a_large_one_sparse(
    model: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Optimizer(model, TrainSpec()).sparse is None
    assert not model.items.sparse
    monkeypatch.setattr(module, "SPARSE_FROM", 10)
    both = Optimizer(model, TrainSpec())
    assert isinstance(both.sparse, torch.optim.SparseAdam)
    assert all(parameter is not model.items.weight for parameter in both.dense.parameters)
    assert {id(p) for p in both.parameters} == {id(p) for p in model.parameters()}
    assert Optimizer(model, TrainSpec(weight_decay=0.1)).sparse is None


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_the_dense_step_is_that_of_torchs_own_class(model: Recommender, decay: float) -> None:
    other = copy.deepcopy(model).eval()
    ours = Optimizer(model.eval(), TrainSpec(weight_decay=decay))
    theirs = torch.optim.Adam(
        other.parameters(), lr=TrainSpec().learning_rate, weight_decay=decay, fused=True
    )
    for _ in range(5):
        ours.step(loss(model))
        theirs.zero_grad()
        loss(other).backward()
        theirs.step()
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, other.state_dict()[name], rtol=1e-5, atol=1e-7)


def test_adams_state_is_made_once(model: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    """To make it at every step would write the whole item table twice a step."""
    made = []
    start = module._start
    monkeypatch.setattr(
        module, "_start", lambda parameter: made.append(parameter) or start(parameter)
    )
    ours = Optimizer(model, TrainSpec())
    for _ in range(3):
        ours.step(loss(model))
    assert len(made) == len(ours.parameters)


def test_training_does_not_load_torchs_compiler() -> None:
    """It would cost a second and 70 MB of every start."""
    program = """
import sys, torch
from solidrec.nn.build import build
from solidrec.spec import ModelSpec, TrainSpec
from solidrec.training.optimizer import Optimizer
model = build(ModelSpec(name="solid-duet", dim=8, history_length=4), items=30, \
semantic_of_item=torch.arange(31) % 5)
scores = model(torch.tensor([[1, 2, 3, 0]]), torch.tensor([[4, 5]]))
Optimizer(model, TrainSpec()).step(scores.logits.square().sum() + scores.codebook_loss)
assert "torch._dynamo" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("steps", [1, 3])
def test_the_sparse_step_moves_what_was_read_as_the_dense_one_does(
    model: Recommender, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """The same rows are read in every step, so lazy moments and eager ones are the same."""
    start = {name: value.clone() for name, value in model.state_dict().items()}
    moved = []
    for threshold in (100, 10):
        monkeypatch.setattr(module, "SPARSE_FROM", threshold)
        model.load_state_dict(start)
        optimizer = Optimizer(model.eval(), TrainSpec())
        for _ in range(steps):
            optimizer.step(loss(model))
        moved.append(model.items.weight.detach().clone())
    torch.testing.assert_close(
        moved[0], moved[1], rtol=0, atol=1e-4
    )  # a tenth of a step: they place Adam's epsilon differently
    changed = (moved[1] != start["items.weight"]).any(1).nonzero()[:, 0].tolist()
    assert changed == [1, 2, 3, 4, 5]  # never padding, never what no one read


def test_a_row_that_is_not_read_stays(model: Recommender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dense Adam's momentum goes on moving it, sparse Adam leaves it."""
    for threshold, stays in ((100, False), (10, True)):
        monkeypatch.setattr(module, "SPARSE_FROM", threshold)
        optimizer = Optimizer(model, TrainSpec())
        optimizer.step(loss(model))
        before = model.items.weight[5].detach().clone()
        optimizer.step(model(torch.tensor([[1, 2, 3, 0]]), torch.tensor([[4, 6]])).logits.sum())
        assert torch.equal(model.items.weight[5].detach(), before) == stays


@pytest.mark.parametrize("threshold", [100, 10])
def test_moments_come_back(
    model: Recommender, monkeypatch: pytest.MonkeyPatch, threshold: int
) -> None:
    """A step after putting them back is the step that would have been."""
    monkeypatch.setattr(module, "SPARSE_FROM", threshold)
    first = Optimizer(model.eval(), TrainSpec())
    first.step(loss(model))
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    kept = {
        name: {
            key: torch.as_tensor(value).clone() for key, value in first.moments(parameter).items()
        }
        for name, parameter in model.named_parameters()
    }
    first.step(loss(model))
    expected = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(weights)
    second = Optimizer(model, TrainSpec())
    for name, parameter in model.named_parameters():
        second.restore(parameter, kept[name])
    second.step(loss(model))
    for name, value in model.state_dict().items():
        assert torch.equal(value, expected[name]), name
