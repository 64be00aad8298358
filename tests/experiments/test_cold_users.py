"""Users of few events: histories are cut, the trunk answers alone, and everything is measured against the static model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from solidrec.api import load
from solidrec.artifacts import read_json
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.evaluate.runner import evaluate
from solidrec.experiments.cold_users import EVENTS, TRUNK, run_cold_users
from solidrec.inference.scorer import ModelScorer
from solidrec.recommend.engine import trunk_alone
from solidrec.runs import load_run


def test_the_trunk_alone_is_the_sum_without_its_branch(run_folder: Path) -> None:
    model = load_run(run_folder).model
    alone = trunk_alone(model)
    assert alone is not None
    history, candidates = torch.tensor([[3, 9, 0], [7, 0, 0]]), torch.arange(1, 6)[None]
    with torch.no_grad():
        weights = model.source.first(history, model.items(history), history != 0).weights
        expected = model.score(history, candidates, weights)
        torch.testing.assert_close(alone(history, candidates).logits, expected)
        assert not torch.allclose(model(history, candidates).logits, expected)
    assert not alone.training


def test_other_models_have_no_trunk_to_answer_alone(data: PreparedData, tiny: dict[str, Any], tmp_path: Path) -> None:
    from solidrec.api import train

    duet = train(data, model="duet", epochs=1, settings=tiny, out=tmp_path / "run", progress=False)
    assert trunk_alone(duet.run.model) is None


def test_the_whole_experiment(data: PreparedData, tiny: dict[str, Any], tmp_path: Path) -> None:
    found = run_cold_users(data.path, tmp_path / "out", seeds=1, settings=tiny | {"train": tiny["train"] | {"epochs": 2}})
    assert [part["events"] for part in found["events"]] == list(EVENTS)
    for part in found["events"]:
        assert [row["name"] for row in part["rows"]] == ["static", "duet", "solid-duet", TRUNK]
        static = part["rows"][0]["mean"]["UAUC"]
        for row in part["rows"][1:]:
            assert row["over_static"]["UAUC"]["mean"] == pytest.approx(row["mean"]["UAUC"] - static)
        whole, trunk = (row["mean"]["UAUC"] for row in part["rows"][2:])
        assert part["whole_over_trunk"]["UAUC"]["mean"] == pytest.approx(whole - trunk)
    whole = load(tmp_path / "out" / "runs" / "static-seed0").evaluate(data).metrics["UAUC"]
    assert found["events"][-1]["rows"][0]["mean"]["UAUC"] == pytest.approx(whole)  # 10 events are all that the model reads
    assert read_json(tmp_path / "out" / "cold-users.json") == found
    assert (tmp_path / "out" / "cold-users.md").read_text(encoding="utf-8").count("\n| ") == 1 + 4 * len(EVENTS) + 2 + len(EVENTS)


def test_one_event_is_the_last_one(data: PreparedData, run_folder: Path) -> None:
    model = load_run(run_folder).model
    rows = data.rows("test")
    last = data.event_items[rows.positions - 1][:, None]
    found = evaluate(ModelScorer(model), data, split="test", length=1).per_user["UAUC"]
    scores = ModelScorer(model)(last, rows.candidates(0, len(rows)))
    by_hand = (scores[:, :1] > scores[:, 1:]).mean(1) + 0.5 * (scores[:, :1] == scores[:, 1:]).mean(1)
    np.testing.assert_allclose(found, by_hand, atol=1e-9)


def test_shorter_models_are_measured_as_far_as_they_read(data: PreparedData, tiny: dict[str, Any], tmp_path: Path) -> None:
    settings = {"model": tiny["model"] | {"length": 4}, "train": tiny["train"] | {"epochs": 1}}
    found = run_cold_users(data.path, tmp_path / "out", seeds=1, settings=settings)
    assert [part["events"] for part in found["events"]] == [1, 2, 3]
    with pytest.raises(UsageError, match=r"--set model.name: is what this experiment varies"):
        run_cold_users(data.path, tmp_path / "other", seeds=1, settings={"model": {"name": "duet"}})
