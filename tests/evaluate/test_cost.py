"""Costs against arithmetic: the sizes of Table 7's parts, and every parameter counted once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS
from solidrec.evaluate import cost as module
from solidrec.evaluate.cost import cost, parameters, training_seconds
from solidrec.nn.build import build
from solidrec.nn.recommender import Recommender
from solidrec.runs import load_run
from solidrec.spec import BACKBONE_NAMES, MODEL_NAMES, ModelSpec, RunSpec

ITEMS, CODES, D, K = 40, 6, 8, 4
GRU = 2 * (3 * D * D + 3 * D)
LINEAR = D * D + D
FULL = 2 * LINEAR  # numbers of the dynamic layers
GENERATOR = GRU + 2 * LINEAR + (D + 1) * FULL
CODEBOOK = CODES * D + (D * 64 + 64) + (64 * D + D)


def spec_of(name: str, backbone: str = "sasrec") -> RunSpec:
    return RunSpec.parse(
        {
            "data": "x",
            "model": {"name": name, "backbone": backbone, "dim": D, "history_length": 5, "core": K},
        }
    )


def built(name: str, backbone: str = "sasrec", **how: int) -> Recommender:
    return build(
        spec_of(name, backbone).model,
        items=ITEMS,
        semantic_of_item=(torch.arange(ITEMS + 1) + 6) // 7,
        **how,
    )


@pytest.mark.parametrize("backbone", BACKBONE_NAMES)
@pytest.mark.parametrize("name", MODEL_NAMES)
def test_every_parameter_is_counted_once(name: str, backbone: str) -> None:
    model = built(name, backbone)
    found = parameters(model)
    total = found.pop("total")
    assert (
        total == sum(found.values()) == sum(parameter.numel() for parameter in model.parameters())
    )
    design, parts = DESIGNS[name], DESIGNS[name].parts
    expected = {
        "items": True,
        "backbone": True,
        "head": design.head == "low-rank",
        "shared": name.startswith("static"),
    }
    expected |= {
        "trunk": parts.trunk,
        "metacode": parts.trunk,
        "branch": parts.branch,
        "codebook": design.has_codebook,
    }
    assert set(found) == {part for part, there in expected.items() if there}


def test_the_parts_are_as_large_as_the_papers_sizes_make_them() -> None:
    found = parameters(built("solid-duet", "gru4rec"))
    assert found == {
        "items": (ITEMS + 1) * D,
        "backbone": GRU,
        "trunk": GENERATOR,
        "metacode": (CODES + 1) * D,
        "branch": GENERATOR,
        "codebook": CODEBOOK,
        "total": (ITEMS + 1) * D + GRU + 2 * GENERATOR + (CODES + 1) * D + CODEBOOK,
    }
    assert parameters(built("static"))["shared"] == FULL
    assert parameters(built("apg"))["head"] == 2 * (D * K + K * D + D)
    staged = ModelSpec.parse({"name": "solid-duet", "codebook": {"schedule": "staged"}})
    assert "codebook" not in parameters(
        build(staged, items=ITEMS, semantic_of_item=(torch.arange(ITEMS + 1) + 6) // 7, stage=1)
    )


def test_what_nobody_knows_and_what_is_shared_is_counted_once() -> None:
    model = built("duet")
    before = parameters(model)["total"]
    model.source.register_module("adapter", nn.Linear(3, 5))
    model.source.register_module("table", model.items)
    found = parameters(model)
    assert found["other"] == 3 * 5 + 5
    assert (
        found["total"] == before + 20 == sum(parameter.numel() for parameter in model.parameters())
    )


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("static", 0),
        ("duet", FULL),
        ("solid-duet", FULL),
        ("apg", 2 * K * K),
        ("solid-apg", 2 * K * K),
    ],
)
def test_a_cost_in_plain_values(
    data: PreparedData, monkeypatch: pytest.MonkeyPatch, name: str, numbers: int
) -> None:
    monkeypatch.setattr(module, "REPEATS", 3)
    model = built(name).train()
    found = cost(model, data, spec_of(name))
    assert (found["model"], found["backbone"]) == (name, "sasrec")
    assert found["parameters"] == parameters(model)
    assert found["generated"] == {"numbers": numbers, "bytes": 4 * numbers}
    with torch.no_grad():
        tensors = model.generate(torch.zeros(2, 5, dtype=torch.int64)).weights.tensors
    assert numbers in (0, sum(tensor[0].numel() for tensor in tensors.values()))
    assert found["state_bytes"] == sum(tensor.nbytes for tensor in model.state_dict().values())
    timing = found["inference"]
    assert 0 < timing["low"] <= timing["seconds"] <= timing["high"] < 10
    assert (timing["users"], timing["candidates"], timing["threads"], timing["batches"]) == (
        1024,
        32,
        1,
        3,
    )
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert model.training


def test_a_batch_is_whole_on_one_thread_and_the_threads_come_back(
    data: PreparedData, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def timed(
        score: Callable[..., object], histories: torch.Tensor, candidates: torch.Tensor
    ) -> float:
        seen.append((histories.shape, candidates.shape, torch.get_num_threads()))
        return float(len(seen))

    monkeypatch.setattr(module, "_timed", timed)
    torch.set_num_threads(2)
    try:
        found = cost(built("static"), data, spec_of("static"))["inference"]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
    assert seen == [((1024, 5), (1024, 32), 1)] * (module.WARM_UP + module.REPEATS)
    assert (found["low"], found["seconds"], found["high"]) == (
        4,
        11,
        18,
    )  # the first three only warm up


def test_seconds_of_an_epoch_by_stage(run_folder: Path) -> None:
    history = load_run(run_folder).history
    assert [(row["stage"], row["epoch"]) for row in history if row["epoch"] == 0] == [(2, 0)]
    found = training_seconds(history)
    assert list(found) == [1, 2]
    for stage, seconds in found.items():
        logged = sorted(row["seconds"] for row in history if row["stage"] == stage and row["epoch"])
        assert seconds == (logged[1] + logged[2]) / 2
    assert training_seconds([]) == {}


def test_a_cost_of_a_run(run_folder: Path, data: PreparedData) -> None:
    run = load_run(run_folder)
    assert cost(run.model, data, run.spec)["parameters"]["total"] == run.manifest["parameters"]


def test_the_default_width_of_the_paper() -> None:
    """DUET's generated layers at D = 32: two of 32 x 32 and two biases."""
    model = build(ModelSpec(name="duet"), items=9)
    assert (
        sum(torch.Size(shape).numel() for shape in model.head.slots.values())
        == 2 * (32 * 32 + 32)
        == 2112
    )
