"""One trial: a short training, judged on validation users, that never ends a search."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.defaults import run_spec
from solidrec.epochs import read_history
from solidrec.errors import UsageError
from solidrec.search.trial import Outcome, _outcome, train_trial
from solidrec.settings import merge
from solidrec.spec import RunSpec

SpecOf = Callable[..., RunSpec]


@pytest.fixture
def spec_of(data: PreparedData, tiny: dict[str, Any]) -> SpecOf:
    """The specification of a short training of a static model, with other settings on top."""

    def make(**settings: Any) -> RunSpec:
        changed = merge(merge(tiny, {"train": {"epochs": 2}}), settings)
        return run_spec(data, model="static", backbone=None, seed=0, epochs=None, settings=changed)

    return make


def test_a_trial_is_its_logs_best_epoch(
    data: PreparedData, spec_of: SpecOf, tmp_path: Path
) -> None:
    """By data or by the path of it; checkpoints are gone, and torch's threads are put back."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = train_trial(data, spec_of(), tmp_path / "one")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    rows = read_history(tmp_path / "one")
    assert found == _outcome(rows, 1)
    assert found.valid == next(row["valid"] for row in reversed(rows) if row["best"])
    assert (found.epochs, found.error) == (2, None)
    assert found.seconds == sum(row["seconds"] for row in rows) > 0
    assert not (tmp_path / "one" / "checkpoints").exists()
    assert train_trial(data.path, spec_of(), tmp_path / "two").valid == found.valid


def test_a_training_that_diverges_or_cannot_start_is_an_outcome(
    data: PreparedData, spec_of: SpecOf, tmp_path: Path
) -> None:
    diverged = train_trial(data, spec_of(train={"learning_rate": 1e30}), tmp_path / "one")
    assert "lower train.learning_rate" in str(diverged.error)
    unfit = train_trial(data, spec_of(model={"dim": 7}), tmp_path / "two")
    assert "model.dim=7 is not a multiple of model.backbone.heads=2" in str(unfit.error)
    assert [(each.valid, each.unfit) for each in (diverged, unfit)] == [(None, False), (None, True)]


def test_the_outcome_is_the_last_stages_best_epoch() -> None:
    epochs = (
        (1, 1, 0.9, True),
        (2, 0, 0.9, False),
        (2, 1, 0.6, True),
        (2, 2, 0.7, True),
        (2, 3, 0.6, False),
    )
    rows = [
        {"stage": stage, "epoch": epoch, "valid": {"UAUC": score}, "best": best, "seconds": 0.5}
        for stage, epoch, score, best in epochs
    ]
    assert _outcome(rows, 2) == Outcome({"UAUC": 0.7}, epochs=4, seconds=2.5)
    with pytest.raises(UsageError, match="no validation user could be ranked"):
        _outcome(
            [{"stage": 1, "epoch": 1, "valid": {"UAUC": None}, "best": True, "seconds": 0.5}], 1
        )


def test_the_outcome_names_the_metric_that_chose_the_epoch() -> None:
    row = {"stage": 1, "epoch": 1, "best": True, "seconds": 1.0, "select": "full NDCG@10"}
    assert _outcome([row | {"valid": {"NDCG@10": 0.2}}], 1).select == "full NDCG@10"


def test_a_trial_keeps_all_but_whether_it_was_unfit() -> None:
    assert Outcome(error="x", unfit=True).plain() == {
        "valid": None,
        "epochs": 0,
        "seconds": 0.0,
        "error": "x",
        "select": "UAUC",
    }
