"""The inspector shows what the model really read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from solidrec.api import Model, load
from solidrec.rank_overlap import rank_biased_overlap
from solidrec.recommend.inspect_user import inspected

HISTORY = ["i01", "x", "i06", "i12"]


def test_a_model_of_trunk_and_branch_shows_semantic_ids_codes_and_the_move(
    run_folder: Path,
) -> None:
    model = load(run_folder)
    found = inspected(model.engine, HISTORY)
    assert [event["item"] for event in found["events"]] == ["i01", "i06", "i12"]
    table: Any = model.run.semantics.table  # type: ignore[union-attr]
    for event in found["events"]:
        own = table[model.run.items.index(event["item"])].reshape(-1).tolist()
        assert event["semantic_ids"] == own
        assert event["code"] == own[0] - 1  # a semantic codebook has one code for each id
    assert 0 < found["branch"]
    assert "mixture" not in found


def test_an_event_changes_the_answer_by_what_changes_without_it(run_folder: Path) -> None:
    model = load(run_folder)

    def best(history: list[str]) -> list[str]:
        return [one["item"] for one in model.recommend(history, keep_history=True).items]

    found = inspected(model.engine, HISTORY)["events"]
    for event in found:
        rest = [item for item in HISTORY if item != event["item"]]
        expected = 1 - rank_biased_overlap(best(HISTORY), best(rest))
        assert event["changes"] == pytest.approx(expected)
    assert max(event["changes"] for event in found) > 0


def test_a_mixture_shows_the_weights_of_this_user_beside_those_of_all(mixed: Model) -> None:
    weights = inspected(mixed.engine, HISTORY)["mixture"]
    assert list(weights)[:2] == ["neural", "forward"]
    model: Any = mixed.run.model
    shared = model.shared.tensors["mixture"].exp().tolist()
    assert [one["everybody"] for one in weights.values()] == pytest.approx(shared)
    assert all(one["user"] > 0 for one in weights.values())


def test_without_a_known_history_there_is_nothing_to_show(mixed: Model) -> None:
    assert inspected(mixed.engine, ["x"]) == {"events": []}
