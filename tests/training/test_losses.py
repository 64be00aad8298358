from __future__ import annotations

from collections.abc import Callable
from math import exp, log
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from solidrec.batch import Batch, Scores
from solidrec.nn.build import build
from solidrec.nn.recommender import EncodedUsers, Recommender
from solidrec.nn.sources import Generated
from solidrec.nn.weights import BuiltWeights
from solidrec.registry import LOSSES
from solidrec.spec import ModelSpec, TrainSpec
from solidrec.training.losses import _SHARED, WHOLE, Loss

CODEBOOK_LOSS = torch.tensor(5.0)


class Given:
    """A model whose logits, or user vectors and item table, are dictated."""

    def __init__(self, logits: Any = None, *, users: Any = None, table: Any = ((0.0,),)) -> None:
        self.logits, self.users = logits, users
        self.items = torch.nn.Embedding.from_pretrained(torch.tensor(table), padding_idx=0)

    def __call__(self, history: Any, candidates: Any, prefix_ends: Any) -> Scores:
        return Scores(torch.tensor(self.logits), CODEBOOK_LOSS, {})

    def encode(self, history: Any, prefix_ends: Any) -> Any:
        return EncodedUsers(
            torch.tensor(self.users), Generated(BuiltWeights({}), CODEBOOK_LOSS, {})
        )


def batch(candidates: list[list[int]], shared: list[int] | None = None) -> Batch:
    labels = torch.zeros(len(candidates), len(candidates[0]))
    labels[:, 0] = 1
    many = None if shared is None else torch.tensor(shared)
    return Batch(
        torch.ones(len(candidates), 1, dtype=torch.int64),
        torch.tensor(candidates),
        labels,
        None,
        many,
    )


def value(
    name: str, model: Given, given: Batch, *, items: int, codebook_weight: float = 0.0, **train: Any
) -> float:
    loss = LOSSES[name](
        TrainSpec.parse({"loss": name, **train}), items=items, codebook_weight=codebook_weight
    )
    return float(loss(model, given).value)


def test_click_is_the_mean_cross_entropy_plus_lambda_times_the_loss_of_the_codebook() -> None:
    model = Given([[2.0, -1.0]])
    entropy = (log(1 + exp(-2)) + log(1 + exp(-1))) / 2
    assert value("click", model, batch([[3, 4]]), items=9, codebook_weight=0.1) == pytest.approx(
        entropy + 0.1 * 5
    )
    assert value("click", model, batch([[3, 4]]), items=9) == pytest.approx(entropy)


def test_softmax_is_the_cross_entropy_of_the_target_over_the_catalogue() -> None:
    """Logits 1, 2 and 3 of three items; the padding row 9 is none."""
    model = Given(users=[[1.0]], table=[[9.0], [1.0], [2.0], [3.0]])
    expected = log(exp(1) + exp(2) + exp(3)) - 2
    assert value("softmax", model, batch([[2]]), items=3, codebook_weight=0.1) == pytest.approx(
        expected + 0.1 * 5
    )


def test_sampled_negatives_stand_for_all_items_and_the_target_is_none_of_them() -> None:
    """Negatives 1, 1, 2, 3 of 9 items stand for 8, each for 8 / 4; target 2 is left out of them."""
    model = Given(users=[[1.0]], table=[[9.0], [1.0], [2.0], [3.0], *[[0.0]] * 6])
    expected = log(exp(2) + 8 / 4 * (exp(1) + exp(1) + exp(3))) - 2
    assert value("softmax", model, batch([[2]], [1, 1, 2, 3]), items=9) == pytest.approx(expected)


def test_every_other_item_once_as_a_negative_is_the_whole_catalogue() -> None:
    table = torch.randn(6, 2, generator=torch.Generator().manual_seed(0)).tolist()
    model = Given(users=[[0.3, -1.0]], table=table)
    whole = value("softmax", model, batch([[4]]), items=5)
    assert value("softmax", model, batch([[4]], [1, 2, 3, 5]), items=5) == pytest.approx(whole)


def test_a_step_shares_negatives_only_beyond_the_stated_size() -> None:
    def shared(items: int, **train: Any) -> int | None:
        return LOSSES["softmax"](
            TrainSpec.parse({"loss": "softmax", **train}), items=items, codebook_weight=0.0
        ).shared

    assert (shared(WHOLE), shared(WHOLE + 1), shared(WHOLE + 1, shared=7), shared(9, shared=7)) == (
        None,
        _SHARED,
        7,
        7,
    )


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
def test_gbce_raises_the_targets_probability_to_beta(calibration: float) -> None:
    """2 negatives of 9: a = 2 / 8, beta = a (t (1 - 1 / a) + 1 / a), 1 at t = 0, a at t = 1."""
    share = 2 / 8
    beta = share * (calibration * (1 - 1 / share) + 1 / share)
    assert calibration > 0 or beta == 1
    assert calibration < 1 or beta == pytest.approx(share)
    probability = (1 / (1 + exp(-2))) ** beta
    expected = (-log(probability) + log(1 + exp(-1)) + log(1 + exp(0.5))) / 3
    found = value(
        "gbce",
        Given([[2.0, -1.0, 0.5]]),
        batch([[3, 4, 5]]),
        items=9,
        negatives=2,
        calibration=calibration,
    )
    assert found == pytest.approx(expected)


@pytest.fixture
def model() -> Recommender:
    torch.manual_seed(0)
    return build(ModelSpec(name="duet", dim=8, history_length=4, dropout=0.0), items=30)


@pytest.mark.parametrize("name", LOSSES.own)
def test_every_loss_teaches_every_parameter(
    name: str, model: Recommender, real_batch: Callable[[Loss], Batch]
) -> None:
    loss = LOSSES[name](TrainSpec.parse({"loss": name}), items=30, codebook_weight=0.0)
    loss(model, real_batch(loss)).value.backward()
    for parameter in model.parameters():
        assert parameter.grad is not None
        assert parameter.grad.any()


@pytest.fixture
def real_batch() -> Callable[[Loss], Batch]:
    """Return the maker of a batch with what a loss asks for."""

    def make(loss: Loss) -> Batch:
        random = torch.Generator().manual_seed(1)
        candidates = torch.randint(1, 31, (6, 1 + loss.each), generator=random)
        labels = F.one_hot(torch.zeros(6, dtype=torch.int64), candidates.shape[1]).float()
        return Batch(torch.randint(1, 31, (6, 4), generator=random), candidates, labels)

    return make


def test_the_codebook_loss_of_a_softmax_is_the_models(
    model: Recommender, real_batch: Callable[[Loss], Batch]
) -> None:
    spec = ModelSpec.parse({"name": "static-codebook", "dim": 8, "history_length": 4, "dropout": 0})
    penalised = build(spec, items=30, semantic_of_item=torch.arange(31) % 5)
    loss = LOSSES["softmax"](TrainSpec(loss="softmax"), items=30, codebook_weight=2.0)
    found, without = (
        LOSSES["softmax"](TrainSpec(loss="softmax"), items=30, codebook_weight=weight)(
            penalised, real_batch(loss)
        )
        for weight in (2.0, 0.0)
    )
    assert found.codebook_loss.item() > 0
    more = (found.value - without.value).item()
    assert more == pytest.approx(2 * found.codebook_loss.item(), rel=1e-4)
