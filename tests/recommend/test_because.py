"""What is said to raise an item does raise it, and the experts' parts add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from solidrec.api import Model, load
from solidrec.recommend.because import reasons

HISTORY = ["i01", "i06", "i12", "i18"]


def standing(model: Model, history: list[str], item: str) -> float:
    """The score of an item above that of the mean item, the plain way."""
    scores = {
        one["item"]: one["score"] for one in model.recommend(history, 99, keep_history=True).items
    }
    return scores[item] - float(np.mean([*scores.values()]))


@pytest.mark.parametrize("kind", ["solid", "mixed"])
def test_an_event_raises_an_item_by_what_it_loses_without_it(
    kind: str, run_folder: Path, mixed: Model
) -> None:
    model = load(run_folder) if kind == "solid" else mixed
    items = [one["item"] for one in model.recommend(HISTORY, 3).items]
    for item, reason in zip(items, reasons(model.engine, HISTORY, items), strict=True):
        whole = standing(model, HISTORY, item)
        raised = {
            event: whole - standing(model, [one for one in HISTORY if one != event], item)
            for event in HISTORY
        }
        best = sorted((event for event in HISTORY if raised[event] > 0), key=lambda e: -raised[e])
        assert [event["item"] for event in reason["events"]] == best[:3]
        for event in reason["events"]:
            assert event["raises"] == pytest.approx(raised[event["item"]], abs=1e-4)
            assert event["title"].startswith("thing ")


def test_the_parts_of_the_experts_are_the_linear_part_of_the_score(mixed: Model) -> None:
    items = [one["item"] for one in mixed.recommend(HISTORY, 5).items]
    found = reasons(mixed.engine, HISTORY, items)
    model: Any = mixed.run.model
    bent, bias = model.head.out.weight.clone(), model.head.bias.clone()
    try:
        with torch.no_grad():  # without the nonlinear term and the bias the linear part is left
            model.head.out.weight.zero_()
            model.head.bias.zero_()
            for item, reason in zip(items, found, strict=True):
                assert sum(reason["experts"].values()) == pytest.approx(
                    standing(mixed, HISTORY, item), abs=1e-4
                )
    finally:
        with torch.no_grad():
            model.head.out.weight.copy_(bent)
            model.head.bias.copy_(bias)
    assert set(found[0]["experts"]) >= {"neural", "forward", "popularity"}


def test_of_what_is_not_known_nothing_is_said(run_folder: Path) -> None:
    engine = load(run_folder).engine
    assert reasons(engine, [], ["i01"]) == [{"events": []}]
    assert reasons(engine, ["x"], ["i01"]) == [{"events": []}]
    assert reasons(engine, HISTORY, ["x"]) == [{"events": []}]
    assert reasons(engine, HISTORY, []) == []


def test_only_the_events_that_the_model_reads_are_named(run_folder: Path) -> None:
    engine = load(run_folder).engine
    assert engine.run.spec.model.history_length == 10
    named = [
        event["item"]
        for reason in reasons(engine, ["i39"] * 30 + [f"i{n:02}" for n in range(10)], ["i20"])
        for event in reason["events"]
    ]
    assert "i39" not in named
