"""Held-out items: really out of training, different ones in each draw, and new when they join."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solidrec.api import train
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.measures.held_out import hold_out, joined, shuffled


def test_what_is_held_out_is_nowhere_in_the_data_that_trains(
    data: PreparedData, tmp_path: Path
) -> None:
    held = hold_out(data, tmp_path, share=0.2, seed=3)
    out = {data.items.id(int(item)) for item in held.items}
    assert len(out) == 8
    assert not out & set(held.kept.items.ids)
    assert set(held.kept.items.ids) | out == set(data.items.ids)
    cold = np.isin(data.event_items, held.items)
    assert len(held.kept.event_items) == len(data.event_items) - cold.sum()
    for item in held.kept.items.ids:  # what an item is stays with it
        there, here = data.items.index(item), held.kept.items.index(item)
        assert np.array_equal(held.kept.features["content"][here], data.features["content"][there])
        assert held.kept.catalog["title"][here - 1] == data.catalog["title"][there - 1]
    again = hold_out(data, tmp_path, share=0.2, seed=3)
    assert (again.targets, again.histories) == (held.targets, held.histories)
    others = [
        set(hold_out(data, tmp_path, share=0.2, seed=seed).items.tolist()) for seed in range(5)
    ]
    assert set.union(*others) == set(range(1, 41))  # five draws of a fifth have no item in common
    assert hold_out(data, tmp_path, share=0.1, seed=3).kept.path != held.kept.path


def test_targets_are_the_last_items_that_were_held_out(data: PreparedData, tmp_path: Path) -> None:
    held = hold_out(data, tmp_path, share=0.2, seed=0)
    expected = []
    for user in range(1, 91):
        events = data.event_items[data.offsets[user] : data.offsets[user + 1]]
        if events[-1] in held.items:
            expected.append(
                (
                    [data.items.id(int(item)) for item in events[:-1] if item not in held.items],
                    data.items.id(int(events[-1])),
                )
            )
    assert list(zip(held.histories, held.targets, strict=True)) == [
        pair for pair in expected if pair[0]
    ]


def test_shuffled_new_items_trade_embeddings_and_nothing_else_changes(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    held = hold_out(data, tmp_path, share=0.2, seed=0)
    run = train(
        held.kept, model="static", epochs=1, settings=tiny, out=tmp_path / "run", progress=False
    ).run
    grown = joined(data, held, run)
    assert grown.catalog["item"].to_list()[32:] == [data.items.id(int(item)) for item in held.items]
    mixed = shuffled(grown, 32, seed=0)
    before, after = grown.model.items.weight.detach(), mixed.model.items.weight.detach()
    assert (before[:33] == after[:33]).all()
    assert not (before[33:] == after[33:]).all()
    assert sorted(before[33:, 0].tolist()) == sorted(after[33:, 0].tolist())


def test_nobody_to_test_with(data: PreparedData, tmp_path: Path) -> None:
    last = {int(data.event_items[data.offsets[user + 1] - 1]) for user in range(1, 91)}
    order = np.random.default_rng(1).permutation(40) + 1
    never = [seed for seed, item in enumerate(order.tolist()) if item not in last]
    for seed in never[:1]:
        with pytest.raises(UsageError, match="hold out more"):
            hold_out(data, tmp_path, share=0.01, seed=seed)
    assert never, "every item of the walk is somebody's last: choose another one"
