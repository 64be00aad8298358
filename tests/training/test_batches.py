from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from solidrec.batch import Batch
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError
from solidrec.nn.build import build
from solidrec.nn.masks import last
from solidrec.spec import RunSpec
from solidrec.training import batches as module
from solidrec.training.batches import TrainingBatches
from solidrec.training.stages import batches_for


def make(
    data: PreparedData, *, batch: int = 100, seed: int = 0, stride: int | None = None
) -> TrainingBatches:
    return TrainingBatches(
        data, length=4, batch=batch, negatives=3, seed=seed, device="cpu", stride=stride
    )


def positives(batches: list[Batch]) -> Counter[tuple[int, ...]]:
    """Every training target with its history."""
    return Counter(
        (*filter(None, history), target)
        for b in batches
        for history, target in zip(b.history.tolist(), b.candidates[:, 0].tolist(), strict=True)
    )


def test_an_epoch_holds_every_training_target_once(data: PreparedData) -> None:
    batches = make(data)
    found = list(batches.epoch(1, 0))
    assert (
        len(found) == batches.steps == -(-90 * 6 // 100)
    )  # 9 events a user: 7 train, 6 of them have a history
    assert sorted(len(b.history) for b in found) == [40] + [100] * 5
    naive: Counter[tuple[int, ...]] = Counter()
    for user in range(1, 91):
        events = data.event_items[data.offsets[user] : data.train_end[user]].tolist()
        for at in range(1, len(events)):
            recent = events[max(0, at - 4) : at]
            naive[(*recent, events[at])] += 1
    assert positives(found) == naive


@pytest.mark.parametrize("stride", [None, 2])
def test_how_many_batches_are_made_in_one_go_changes_none(
    data: PreparedData, stride: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = list(make(data, batch=30, stride=stride).epoch(1, 0))
    assert len(together) > module.TOGETHER > 1
    monkeypatch.setattr(module, "TOGETHER", 1)
    for one, other in zip(together, make(data, batch=30, stride=stride).epoch(1, 0), strict=True):
        assert torch.equal(one.history, other.history)
        assert torch.equal(one.candidates, other.candidates)


def test_the_target_stands_in_column_0_and_no_negative_is_a_training_item(
    data: PreparedData,
) -> None:
    batches = make(data, batch=1000)
    (batch,) = batches.epoch(1, 0)  # one batch holds every target, in the order of the log
    assert batch.candidates.shape == (540, 1 + 3)
    assert torch.equal(batch.labels, torch.tensor([[1.0, 0, 0, 0]]).expand(540, 4))
    events = [
        (user, at)
        for user in range(1, 91)
        for at in range(data.offsets[user] + 1, data.train_end[user])
    ]
    for row, (user, position) in enumerate(events):
        owned = set(data.event_items[data.offsets[user] : data.train_end[user]].tolist())
        assert int(batch.candidates[row, 0]) == data.event_items[position]
        assert not owned & set(batch.candidates[row, 1:].tolist())


@pytest.mark.parametrize("stride", [1, 3, 4, 99])
def test_with_a_stride_a_batch_holds_what_its_passes_say(data: PreparedData, stride: int) -> None:
    """Each place reads its pass up to itself and predicts the next item; targets come once."""
    batches = make(data, stride=stride)
    found: Counter[tuple[int, ...]] = Counter()
    for batch in batches.epoch(1, 0):
        assert len(batch.candidates) <= 100 + 4
        ends = last(batch.history > 0) + batch.history.shape[1] * torch.arange(len(batch.history))
        prefix_ends = ends if batch.prefix_ends is None else batch.prefix_ends
        for place, target in zip(
            prefix_ends.tolist(), batch.candidates[:, 0].tolist(), strict=True
        ):
            row, column = divmod(place, batch.history.shape[1])
            found[(*batch.history[row, : column + 1].tolist(), target)] += 1
    plan = batches.plan(1, 0)
    expected: Counter[tuple[int, ...]] = Counter()
    for start, end, targets in zip(plan.start, plan.end, plan.targets, strict=True):
        expected.update(
            tuple(data.event_items[start : at + 1].tolist())
            for at in range(end - targets + 1, end + 1)
        )
    assert found == expected
    assert found.total() == batches.positives == 90 * 6


def test_full_windows_are_read_at_their_end_alone(data: PreparedData) -> None:
    """Passes of one target have their own steps, so no unused state is computed."""
    batches = list(make(data, batch=12, stride=1).epoch(1, 0))
    ends = [b for b in batches if b.prefix_ends is None]
    mixed = [
        b for b in batches if b.prefix_ends is not None and len(b.prefix_ends) < 4 * len(b.history)
    ]
    assert (
        sum(len(b.candidates) for b in ends) > 90 * 2 - 2 * 12
    )  # 90 users, 6 targets each, 4 of them in the first pass
    assert len(mixed) <= 1
    assert all(len(b.history) == len(b.candidates) for b in ends)


def test_drawn_targets_are_training_targets(data: PreparedData) -> None:
    drawn = set(make(data).targets(20_000, np.random.default_rng(0)).tolist())
    assert drawn == {
        int(data.event_items[at])
        for u in range(1, 91)
        for at in range(data.offsets[u] + 1, data.train_end[u])
    }


def test_an_epoch_depends_on_seed_stage_and_epoch_and_on_nothing_else(data: PreparedData) -> None:
    def first(seed: int, stage: int, epoch: int) -> list[list[int]]:
        return next(make(data, seed=seed).epoch(stage, epoch)).candidates.tolist()

    assert first(0, 1, 0) == first(0, 1, 0)
    np.random.default_rng().random()
    torch.rand(1)
    assert first(0, 1, 5) == first(0, 1, 5)
    assert len({str(first(*at)) for at in ((0, 1, 0), (1, 1, 0), (0, 2, 0), (0, 1, 1))}) == 4


def test_a_later_epoch_needs_no_earlier_one(data: PreparedData) -> None:
    batches = make(data)
    for epoch in range(3):
        last = [b.candidates.tolist() for b in batches.epoch(1, epoch)]
    assert [b.candidates.tolist() for b in make(data).epoch(1, 2)] == last


def test_negatives_are_fresh_each_epoch(data: PreparedData) -> None:
    batches = make(data, batch=1000)
    one, two = (next(batches.epoch(1, epoch)) for epoch in (0, 1))
    assert torch.equal(
        one.candidates[:, 0], two.candidates[:, 0]
    )  # one batch holds every target, in the order of the log
    assert not torch.equal(one.candidates[:, 1:], two.candidates[:, 1:])


def test_nothing_to_learn_from_is_said(tmp_path: Path) -> None:
    log = pl.DataFrame(
        {"user": ["a", "a", "a", "b"], "item": ["1", "2", "3", "4"], "position": [0, 1, 2, 0]}
    )
    data = prepare(
        log, out=tmp_path / "data", negatives=1
    )  # user a keeps one training event, user b has one
    with pytest.raises(DataError, match="no user has two training events"):
        make(data)


@pytest.mark.parametrize("batch", [1, 3, 4, 7])
def test_small_batches_are_as_small_as_asked(data: PreparedData, batch: int) -> None:
    """A step exceeds `batch` by at most a pass; below the window's length, one target a pass."""
    batches = make(data, batch=batch, stride=4)
    sizes = [len(b.candidates) for b in batches.epoch(1, 0)]
    assert len(sizes) == batches.steps == -(-540 // batch)
    assert sum(sizes) == 540
    assert max(sizes) <= (batch if batch < 4 else batch + 4)


@pytest.mark.parametrize(
    ("backbone", "asked", "stride"),
    [
        ("sasrec", None, 2),
        ("gru4rec", 3, 3),
        ("din", None, None),
        ("bert4rec", 3, None),
        ("ligr", None, 2),
        ("bsarec", 3, None),
    ],
)
def test_a_pass_serves_half_of_what_it_reads_where_the_backbone_reads_prefixes(
    data: PreparedData, backbone: str, asked: int | None, stride: int | None
) -> None:
    model = {"name": "static", "backbone": backbone, "history_length": 4}
    spec = RunSpec.parse(
        {"data": data.fingerprint, "model": model, "train": {"targets_per_pass": asked}}
    )
    assert (
        batches_for(build(spec.model, items=len(data.items)), data, spec, device="cpu").stride
        == stride
    )


def test_the_steps_of_an_epoch_come_in_random_order_and_each_epoch_in_another(
    data: PreparedData,
) -> None:
    """Passes are sorted by length to pad little; sorted steps would teach short histories first."""
    batches = make(data, batch=30)
    lengths = [[int(b.history.shape[1]) for b in batches.epoch(1, epoch)] for epoch in range(2)]
    assert sorted(lengths[0]) == sorted(lengths[1])
    assert len(set(lengths[0])) == 4  # histories of 1 to 4 items, and the target
    assert lengths[0] != lengths[1]
    for found in lengths:
        assert found not in (sorted(found), sorted(found, reverse=True))


def test_targets_share_a_step_with_others_each_epoch(data: PreparedData) -> None:
    batches = make(data, batch=30)
    together = [{frozenset(positives([b])) for b in batches.epoch(1, epoch)} for epoch in range(2)]
    assert (
        len(together[0] & together[1]) <= 1
    )  # what is left over at the end of a length may meet again
