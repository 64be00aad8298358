"""Weights go on, memories and counts are taken anew, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from solidrec.data.append import first_new
from solidrec.evaluate.runner import evaluate_rows
from solidrec.experts.alike import content_of
from solidrec.experts.counted import count
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.nn.mixture import Mixture, is_counted
from solidrec.training.context import RunContext
from solidrec.updates.new_data import NewData, with_new_events
from solidrec.updates.newest import hold_newest
from solidrec.updates.refresh import _new_targets, refreshed


@pytest.fixture(scope="module")
def new(mixture: Any, tmp_path_factory: pytest.TempPathFactory) -> NewData:
    out = tmp_path_factory.mktemp("new") / "data"
    return with_new_events(mixture.run, mixture.data, mixture.clicks, items=mixture.items, out=out)


@pytest.fixture(scope="module")
def new_solid(solid: Any, tmp_path_factory: pytest.TempPathFactory) -> NewData:
    out = tmp_path_factory.mktemp("new") / "data"
    return with_new_events(solid.run, solid.data, solid.clicks, items=solid.items, out=out)


def context(new: NewData) -> RunContext:
    return RunContext(new.data, new.run.spec.model_copy(update={"data": new.data.fingerprint}))


def test_memories_and_counts_are_those_of_training_anew(new: NewData) -> None:
    model = refreshed(new.run, context(new), new.trained, epochs=1)
    assert isinstance(model, Mixture)
    table = torch.from_numpy(new.run.semantics.table)  # type: ignore[union-attr]
    counted = count(new.data, content_of(new.data), table, recent=True)
    for memory, wanted in zip(model.experts.memories, counted.memories, strict=True):
        assert memory.state_dict().keys() == wanted.state_dict().keys()
        for name, tensor in wanted.state_dict().items():
            assert torch.equal(memory.state_dict()[name], tensor), name
    assert torch.equal(model.experts.counts, counted.counts)
    assert torch.equal(model.experts.recent, counted.recent)


def test_the_run_stays_as_it_was_and_the_same_update_gives_the_same_bytes(
    new: NewData, mixture: Any
) -> None:
    before = {name: one.clone() for name, one in new.run.model.state_dict().items()}
    one, other = (refreshed(new.run, context(new), new.trained, epochs=1) for _ in range(2))
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name
    for name, tensor in new.run.model.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    moved = [
        n
        for n, t in one.state_dict().items()
        if not is_counted(n) and not torch.equal(t, before[n])
    ]
    assert "experts.neural.items.weight" in moved
    assert any(name.startswith(("shared", "deltas", "head")) for name in moved)


def test_without_a_new_event_only_what_is_counted_changes(new_solid: NewData) -> None:
    everything = np.ones(len(new_solid.data.event_items), dtype=bool)
    model = refreshed(new_solid.run, context(new_solid), everything, epochs=3)
    before = new_solid.run.model.state_dict()
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_what_is_trained_on_are_new_events_and_those_just_before_them(
    new_solid: NewData, monkeypatch: pytest.MonkeyPatch
) -> None:
    from solidrec.training import stages

    seen: list[Any] = []
    made = stages.batches_for

    def batches(*args: Any, **words: Any) -> Any:
        seen.append(made(*args, **words))
        return seen[-1]

    monkeypatch.setattr("solidrec.updates.refresh.batches_for", batches)
    # Only users 3 and 4 have new events: the last one, and the last two.
    ends = np.asarray(new_solid.data.offsets[1:])
    first = ends.copy()
    first[[3, 4]] -= [1, 2]
    length = new_solid.run.spec.model.history_length
    of_event = np.repeat(first, np.diff(new_solid.data.offsets))
    trained = np.arange(len(of_event)) < of_event
    refreshed(new_solid.run, context(new_solid), trained, epochs=1)
    begin = np.maximum(new_solid.data.offsets[[3, 4]], first[[3, 4]] - length)
    assert seen[0].positives == (ends[[3, 4]] - begin - 1).sum()


def test_the_targets_of_the_weights_are_new_events_with_an_earlier_one(new: NewData) -> None:
    users, positions, far = _new_targets(new.data, new.trained, seed=0)
    assert not new.trained[positions].any()
    assert (positions > new.data.offsets[users]).all()
    starts = np.maximum(first_new(new.data.offsets, new.trained), new.data.offsets[:-1] + 1)
    assert len(positions) == (new.data.offsets[1:] - starts).clip(0).sum()
    assert (far == positions - starts[users]).all()


def test_an_event_that_was_trained_is_no_target_behind_a_late_one(new: NewData) -> None:
    late = new.trained.copy()
    late[np.asarray(new.data.offsets[1:-1]) + 1] = False  # the second event of each user
    _, positions, _ = _new_targets(new.data, late, seed=0)
    assert not late[positions].any()
    assert len(positions) > len(_new_targets(new.data, new.trained, seed=0).positions)


@pytest.mark.parametrize("name", ["mixture", "solid"])
def test_an_update_ranks_new_items_that_the_run_before_did_not_know(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """On the walk, whose next item can be learned, an update is better on the newest events."""
    begun = request.getfixturevalue(name)
    new = with_new_events(
        begun.run, begun.data, begun.clicks, items=begun.items, out=tmp_path / "new"
    )
    held = hold_newest(new.data, new.trained, share=0.3)
    model = refreshed(new.run, context(new).but(data=held.data), new.trained, epochs=3)
    before, after = (
        evaluate_rows(
            scorer_of(one), held.data, held.rows, split="newest", protocol="full", length=10
        ).metrics["NDCG@10"]
        for one in (new.run.model, model)
    )
    assert after is not None
    assert before is not None
    assert after > before
