from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from torch import Tensor

from solidrec.check.model import clip, independence, padding, prefixes
from solidrec.check.subject import Subject
from solidrec.nn.backbones.base import CausalBackbone
from solidrec.nn.masks import last_valid

Make = Callable[..., Subject]
Install = Callable[..., None]


def mean_with_padding(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return items.mean(1, keepdim=True)


def sum_with_padding(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return items.sum(1, keepdim=True)


def nothing_over_nothing(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return (items * mask[..., None]).sum(1, keepdim=True) / mask.sum(1)[:, None, None]


def less_the_batch(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    state = self.mean(items, mask)
    return state - 0.1 * state.mean(0)


def less_the_candidates(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
    return self.mean(items, mask) * candidates - 0.1 * candidates.mean(1, keepdim=True)


@pytest.mark.parametrize(
    ("check", "forward", "cause"),
    [
        (padding, mean_with_padding, "the user state of Own changes with the width of the padding"),
        (padding, sum_with_padding, "the user state of Own reads the embedding of padding"),
        (padding, nothing_over_nothing, "the logits of an empty history are not finite"),
        (
            independence,
            less_the_batch,
            "the user state of Own depends on the other users of the batch",
        ),
        (
            independence,
            less_the_candidates,
            "the logits of a candidate depend on the other candidates",
        ),
    ],
)
def test_a_model_that_sees_what_it_may_not_is_named(
    subject: Make,
    install: Install,
    check: Callable[[Subject], Any],
    forward: Callable[..., Tensor],
    cause: str,
) -> None:
    install(forward, reads_candidates=forward is less_the_candidates)
    verdict = check(subject())
    assert (verdict.status, verdict.cause) == ("fail", cause)


def test_a_backbone_that_does_not_say_that_it_reads_candidates_is_named(
    subject: Make, install: Install
) -> None:
    install(lambda self, items, mask, candidates: self.mean(items, mask) * candidates)
    assert independence(subject()).cause == "Own.reads_candidates is False"


def test_a_generator_that_reads_padding_is_named(
    subject: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(states: Tensor, mask: Tensor, prefix_ends: Tensor | None) -> Tensor:
        return states[:, -1] if prefix_ends is None else states.flatten(0, 1)[prefix_ends]

    monkeypatch.setattr("solidrec.nn.generator.end_states", end)
    verdict = padding(subject("duet"))
    assert (
        verdict.cause
        == "generated tensor 'weight0' of Branch changes with the width of the padding"
    )


def test_a_backbone_that_reads_the_future_is_named(subject: Make, install: Install) -> None:
    def states(self: Any, items: Tensor, mask: Tensor) -> Tensor:
        return (items * mask[..., None]).flip(1).cumsum(1).flip(1)

    def forward(self: Any, items: Tensor, mask: Tensor, candidates: Tensor) -> Tensor:
        return last_valid(states(self, items, mask), mask)[:, None]

    install(forward, base=CausalBackbone, states=states)
    verdict = prefixes(subject())
    assert verdict is not None
    assert verdict.status == "fail"
    assert "Own or Shared reads the future" in verdict.cause


def test_a_saturated_branch_is_a_warning_that_names_the_clip(subject: Make) -> None:
    assert clip(subject("duet")) is None
    found = [clip(subject("sml", model={"clip": limit})) for limit in (0.01, 0)]
    assert [verdict and verdict.status for verdict in found] == ["pass", "warning"]
    assert found[1] is not None
    assert "model.clip=0" in found[1].cause
