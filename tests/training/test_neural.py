"""The neural expert of a mixture is trained once and read back as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from solidrec.data.prepared import PreparedData
from solidrec.spec import RunSpec
from solidrec.training.context import RunContext
from solidrec.training.display import Display, Row, Silent
from solidrec.training.neural import WHOLE, Neural, neural_expert, of_users

SpecOf = Callable[..., RunSpec]


def same(one: Neural, two: Neural) -> bool:
    a, b = one.model.state_dict(), two.model.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_it_comes_back_with_its_log(copy: PreparedData, spec_of: SpecOf) -> None:
    said: list[str] = []
    run = RunContext(copy, spec_of("mixture"), say=said.append)
    made, read = (neural_expert(run, part=WHOLE) for _ in range(2))
    assert same(made, read)
    assert made.history == read.history
    best = [row["epoch"] for row in made.history if row["best"]]
    assert made.epochs == read.epochs == best[-1] >= 1
    assert said[0] == "neural expert (whole): training"
    assert said[-1].startswith(f"neural expert (whole): read from {copy.path / 'experts'}")


def test_mixtures_of_other_heads_share_it_and_other_trainings_do_not(
    copy: PreparedData, spec_of: SpecOf
) -> None:
    for name in ("mixture", "mixture-static", "mixture-lengths"):
        neural_expert(RunContext(copy, spec_of(name)), part=WHOLE)
    assert len(list((copy.path / "experts").iterdir())) == 1
    neural_expert(RunContext(copy, spec_of("mixture")), part="half0")
    neural_expert(RunContext(copy, spec_of("mixture", seed=4)), part=WHOLE)
    assert len(list((copy.path / "experts").iterdir())) == 3


def test_a_cached_training_is_shown_epoch_by_epoch(
    copy: PreparedData, spec_of: SpecOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[str, Any]] = []
    monkeypatch.setattr(Silent, "stage", lambda self, *three: shown.append(("stage", three)))
    monkeypatch.setattr(Silent, "epoch", lambda self, row: shown.append(("epoch", row)))
    monkeypatch.setattr(Silent, "done", lambda self, row: shown.append(("done", row)))
    run = RunContext(copy, spec_of("mixture"))
    made = neural_expert(run, part=WHOLE)
    shown.clear()
    neural_expert(run, part=WHOLE)
    best = [row for row in made.history if row["best"]][-1]
    epochs = [("epoch", row) for row in made.history]
    assert shown == [("stage", (1, len(made.history), 0)), *epochs, ("done", best)]


def test_a_training_that_was_stopped_goes_on_and_leaves_no_checkpoint(
    copy: PreparedData,
    spec_of: SpecOf,
    stop: Display,
    without_times: Callable[[list[Row]], list[Row]],
    tmp_path: Path,
) -> None:
    """Stopped in the second epoch; the checkpoint is of the first."""
    run = RunContext(copy, spec_of("mixture"), tmp_path / "run")
    with pytest.raises(KeyboardInterrupt):
        neural_expert(run.but(display=stop), part=WHOLE)
    folder = tmp_path / "run" / "checkpoints" / WHOLE
    assert [path.name for path in folder.iterdir()] == ["stage1-epoch00001"]
    resumed = neural_expert(run, part=WHOLE)
    assert not folder.exists()
    (copy.path / "experts").rename(tmp_path / "aside")
    whole = neural_expert(RunContext(copy, spec_of("mixture")), part=WHOLE)
    assert same(resumed, whole)
    assert without_times(resumed.history) == without_times(whole.history)


def test_data_of_some_users_have_their_training_events_alone(data: PreparedData) -> None:
    chosen = np.arange(len(data.train_end)) % 3 == 1
    found = of_users(data, chosen)
    for user, taken in enumerate(chosen):
        begin, end = data.offsets[user], data.train_end[user]
        assert found.train_end[user] == (end if taken else begin)
    assert set(found.manifest["negatives"]) == set(data.manifest["negatives"]) - {"valid", "test"}
    assert {"valid", "test"} <= set(data.manifest["negatives"])
