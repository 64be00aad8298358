from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from solidrec.check.subject import Subject
from solidrec.check.training import export, reload, repeatable, resume
from solidrec.nn.recommender import Recommender
from solidrec.recommend.engine import Engine

Make = Callable[..., Subject]
Install = Callable[..., None]


def noisy(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return self.mean(items, mask) * (1 + random.random() * self.training)


def counting(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    self.seen += self.training
    return self.mean(items, mask) * (1 + self.seen / 100)


def from_zero(self: Any, dim: int) -> None:
    self.seen = 0


def unsaved(self: Any, dim: int) -> None:
    self.register_buffer("seen", torch.zeros(()), persistent=False)


def test_randomness_of_its_own_is_named(subject: Make, install: Install) -> None:
    install(noisy)
    verdict = repeatable(subject())
    assert verdict.status == "fail"
    assert "model/items.weight" in verdict.cause


@pytest.mark.parametrize(
    ("start", "held"), [(from_zero, "a number or an object of Python"), (unsaved, "backbone.seen")]
)
def test_a_state_that_is_not_saved_is_named(
    subject: Make, install: Install, start: Callable[[Any, int], None], held: str
) -> None:
    install(counting, start)
    made = subject()
    assert repeatable(made).status == "pass"
    assert [check(made).status for check in (resume, reload)] == ["fail", "fail"]
    assert "items.weight" in resume(made).cause
    assert reload(made).cause.endswith(f"outside state_dict(): {held}")


def test_moments_that_are_not_restored_are_named(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "solidrec.training.optimizer.Optimizer.restore", lambda self, parameter, moments: None
    )
    verdict = resume(subject())
    assert verdict.status == "fail"
    assert "ends with another model/backbone.gru" in verdict.cause


def test_a_tensor_that_comes_back_different_is_named(subject: Make) -> None:
    made = subject()
    made.loaded.model.items.weight.data[1] += 1
    verdict = reload(made)
    assert (verdict.status, verdict.cause) == ("fail", "comes back different: items.weight")


def double(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *words: 2 * function(*words)


def test_vectors_that_are_not_the_model_are_named(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "user_vectors", double(Engine.user_vectors))
    assert export(subject()).cause == "user vectors . item vectors are not the logits"


def test_weights_that_are_not_those_of_the_forward_pass_are_named(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate = Recommender.generate
    monkeypatch.setattr(
        Recommender, "generate", lambda self, history: generate(self, history.flip(0))
    )
    verdict = export(subject("duet"))
    assert verdict.cause == "weights generated apart and applied are not the whole forward pass"


@pytest.mark.parametrize(
    ("wrong", "cause"),
    [
        (lambda scores: 2 * scores, "a recommended item's score is not the model's"),
        (
            lambda scores: np.where(scores < np.sort(scores, 1)[:, [-4]], scores, -np.inf),
            "an item with a higher score is missing",
        ),
    ],
)
def test_answers_that_are_not_the_model_are_named(
    subject: Make,
    monkeypatch: pytest.MonkeyPatch,
    wrong: Callable[[np.ndarray], np.ndarray],
    cause: str,
) -> None:
    best = Engine._best
    monkeypatch.setattr(
        Engine, "_best", lambda self, scores, items, k: best(self, wrong(scores), items, k)
    )
    verdict = export(subject(backbone="din"))
    assert verdict.status == "fail"
    assert verdict.cause.startswith(cause)
