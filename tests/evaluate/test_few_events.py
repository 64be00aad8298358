"""Histories are cut to their last events, and a trunk answers alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.few_events import _EVENTS, TRUNK, WHOLE, few_events, trunk_alone
from solidrec.evaluate.runner import evaluate
from solidrec.inference.scorer import ModelScorer
from solidrec.nn.build import build
from solidrec.nn.histories import Histories
from solidrec.runs import load_run
from solidrec.spec import ModelSpec


def test_the_trunk_alone_is_the_sum_without_its_branch(run_folder: Path) -> None:
    model = load_run(run_folder).model
    alone = trunk_alone(model)
    assert alone is not None
    history, candidates = torch.tensor([[3, 9, 0], [7, 0, 0]]), torch.arange(1, 6)[None]
    with torch.no_grad():
        weights = model.source.trunk(Histories.of(history, model.items(history))).weights
        expected = model.score(history, candidates, weights)
        torch.testing.assert_close(alone(history, candidates).logits, expected)
        assert not torch.allclose(model(history, candidates).logits, expected)
    assert not alone.training


def test_other_models_have_no_trunk_to_answer_alone() -> None:
    assert trunk_alone(build(ModelSpec(name="duet", dim=8), items=5)) is None


def test_each_variant_is_measured_on_each_number_of_events(
    data: PreparedData, run_folder: Path
) -> None:
    model = load_run(run_folder).model
    found = few_events(model, data, length=10)
    assert {name: tuple(of) for name, of in found.items()} == {WHOLE: _EVENTS, TRUNK: _EVENTS}
    whole = evaluate(ModelScorer(model), data, length=10).metrics["UAUC"]
    assert found[WHOLE][10].metrics["UAUC"] == whole  # ten events are all that the model reads
    assert found[TRUNK][10].metrics["UAUC"] != whole


def test_one_event_is_the_last_one(data: PreparedData, run_folder: Path) -> None:
    model = load_run(run_folder).model
    rows = data.rows("test")
    last = data.event_items[rows.positions - 1][:, None]
    scores = ModelScorer(model)(last, rows.candidates(0, len(rows)))
    by_hand = (scores[:, :1] > scores[:, 1:]).mean(1) + 0.5 * (scores[:, :1] == scores[:, 1:]).mean(
        1
    )
    found = few_events(model, data, length=10)[WHOLE][1]
    np.testing.assert_allclose(found.per_user["UAUC"], by_hand, atol=1e-9)


@pytest.mark.parametrize(("length", "events"), [(1, (1,)), (4, (1, 2, 3))])
def test_a_model_is_measured_as_far_as_it_reads(
    data: PreparedData, length: int, events: tuple[int, ...]
) -> None:
    model = build(
        ModelSpec(name="static", dim=8, history_length=length), items=len(data.items)
    ).eval()
    assert {name: tuple(of) for name, of in few_events(model, data, length=length).items()} == {
        WHOLE: events
    }
