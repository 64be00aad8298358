from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from solidrec.check.learning import learning
from solidrec.check.subject import Subject
from solidrec.nn.histories import Histories
from solidrec.nn.sources import Generated, Source
from solidrec.nn.weights import BuiltWeights, Slots

Make = Callable[..., Subject]
Install = Callable[..., None]


def unused(self: Any, dim: int) -> None:
    self.unused = nn.Parameter(torch.ones(dim))


def frozen(self: Any, dim: int) -> None:
    self.frozen = nn.Parameter(torch.ones(dim), requires_grad=False)


def in_a_list(self: Any, dim: int) -> None:
    self.layers = [nn.Linear(dim, dim)]


def bare(self: Any, dim: int) -> None:
    self.codes = torch.ones(dim)


@pytest.mark.parametrize(
    ("start", "cause"),
    [
        (unused, "no gradient reaches backbone.unused"),
        (frozen, "frozen (requires_grad=False): backbone.frozen"),
        (in_a_list, "neither trained nor saved: backbone.layers (1 tensors or layers in a list)"),
        (bare, "neither trained nor saved: backbone.codes (1 tensors or layers in a Tensor)"),
    ],
)
def test_a_parameter_that_does_not_learn_is_named(
    subject: Make, install: Install, start: Callable[[Any, int], None], cause: str
) -> None:
    install(start=start)
    verdict = learning(subject())
    assert verdict.status == "fail"
    assert verdict.cause.endswith(cause)


@pytest.mark.parametrize(
    ("name", "settings", "cause", "cure"),
    [
        ("sml", {"model": {"clip": 0}}, "source.branch.generator", "model.clip=0"),
        (
            "solid-duet",
            {"train": {"codebook_weight": 0}},
            "source.branch.codebook.code_vectors",
            "train.codebook_weight=0",
        ),
        ("sml", {"model": {"history_length": 1}}, "weight_hh_l0", "model.history_length=1"),
        ("solid-duet", {"model": {"clip": 1e-12}}, "no step moves it", "model.clip"),
    ],
)
def test_settings_that_cut_something_off_are_named(
    subject: Make, name: str, settings: dict[str, Any], cause: str, cure: str
) -> None:
    verdict = learning(subject(name, "din", **settings))
    assert verdict.status == "fail"
    assert cause in verdict.cause
    assert cure in verdict.cure


def test_what_the_released_code_freezes_is_a_warning(subject: Make) -> None:
    verdict = learning(subject("author-code"))
    assert verdict.status == "warning"
    assert verdict.cause.startswith("16 parameters stay as they were drawn")


class Half(Source):
    """Learns every tensor but a constant one, as if its projections stood in a plain list."""

    def __init__(self, slots: Slots, constant: str) -> None:
        super().__init__()
        self.tensors = nn.ParameterDict(
            {slot: torch.rand(shape) for slot, shape in slots.items() if slot != constant}
        )
        self.register_buffer("constant", torch.rand(slots[constant]))
        self.slot = constant

    def forward(self, histories: Histories) -> Generated:
        tensors = {slot: tensor[None] for slot, tensor in self.tensors.items()} | {
            self.slot: self.constant[None]
        }
        return Generated(BuiltWeights(tensors), histories.items.new_zeros(()), {})


def test_a_generated_tensor_without_anything_to_learn_is_named(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.nn.build.Shared", lambda slots: Half(slots, "weight1"))
    verdict = learning(subject())
    assert verdict.cause == "the gradient of the generated tensor 'weight1' reaches no parameter"


def test_a_slot_that_the_head_does_not_read_is_named(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("solidrec.nn.build.Shared", lambda slots: Half(slots, "bias1"))
    monkeypatch.setattr(
        "solidrec.nn.heads.FullHead.forward",
        lambda self, state, weights: weights.shift(
            "bias0", weights.apply("weight1", weights.apply("weight0", state))
        ),
    )
    assert learning(subject()).cause == "the head makes no use of the generated tensor 'bias1'"
