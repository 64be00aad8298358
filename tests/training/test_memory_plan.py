"""Trainings that cannot fit are refused before they start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.spec import RunSpec
from solidrec.training import memory_plan
from solidrec.training.memory_plan import check_memory, free_memory


def spec_of(data: PreparedData, model: dict[str, Any], **train: Any) -> RunSpec:
    return RunSpec.parse({"data": data.fingerprint, "model": model, "train": train})


@pytest.mark.parametrize("backbone", ["din", "gru4rec", "sasrec", "ligr"])
@pytest.mark.parametrize("name", ["static", "solid-duet"])
def test_a_width_beyond_any_memory_is_refused_with_what_it_needs(
    data: PreparedData, name: str, backbone: str
) -> None:
    model = {"name": name, "backbone": {"name": backbone}, "dim": 1_000_000_000}
    with pytest.raises(UsageError, match=r"needs at least .* lower model\.dim=1000000000"):
        check_memory(data, spec_of(data, model), "cpu")


def test_so_is_a_history_of_any_length(data: PreparedData) -> None:
    with pytest.raises(UsageError, match=r"model\.history_length=1000000000"):
        check_memory(data, spec_of(data, {"history_length": 1_000_000_000}), "cpu")


def test_the_parameters_are_counted_four_times(
    data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An item table of (V + 1) x D and nothing that is larger: 4 arrays of 4 bytes each."""
    monkeypatch.setattr(memory_plan, "_SMALL", 0)
    spec = spec_of(data, {"name": "static", "backbone": {"name": "gru4rec"}, "dim": 8})
    histories = min(512, len(data.event_items)) * spec.model.history_length * 8 * 4
    from solidrec.nn.build import build

    model = build(spec.model, items=len(data.items))
    held = sum(one.numel() for one in model.parameters()) * 16
    targets = int(np.maximum(data.train_end - data.offsets[:-1] - 1, 0).sum())
    candidates = 5 * (min(512, targets) * 8 * 4 + min(8 * 512, targets) * 12)
    needed = held + histories + candidates
    monkeypatch.setattr(memory_plan, "free_memory", lambda device: needed)
    check_memory(data, spec, "cpu")
    monkeypatch.setattr(memory_plan, "free_memory", lambda device: needed - 1)
    with pytest.raises(UsageError):
        check_memory(data, spec, "cpu")


@pytest.mark.parametrize(
    ("train", "setting"),
    [
        ({"negatives": 10_000_000}, r"train\.negatives=10000000"),
        ({"negatives": 10_000_000, "loss": "gbce"}, r"train\.negatives=10000000"),
        ({"shared": 1_000_000_000, "loss": "softmax"}, r"train\.shared=1000000000"),
    ],
)
def test_t21_negatives_beyond_any_memory_are_refused(
    data: PreparedData, train: dict[str, Any], setting: str
) -> None:
    with pytest.raises(UsageError, match=rf"for its negatives, .* lower .*{setting}"):
        check_memory(data, spec_of(data, {"name": "plain"}, **train), "cpu")


def test_counting_draws_no_random_numbers(
    data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_plan, "_SMALL", 0)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    check_memory(data, spec_of(data, {"name": "solid-duet"}), "cpu")
    assert torch.equal(torch.get_rng_state(), before)


def test_the_free_memory_of_this_machine_is_more_than_nothing() -> None:
    assert 1e6 < free_memory("cpu") < 1e15
