"""Held-out items: really out of training, ranked by content, and a walk whose answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solidrec.artifacts import read_json
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.experiments.cold_items import CHANCE, hold_out, measured, run_cold_items, with_negatives


def test_what_is_held_out_is_nowhere_in_the_data_that_trains(data: PreparedData, tmp_path: Path) -> None:
    held = hold_out(data, tmp_path / "kept", share=0.2, seed=3)
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
    again = hold_out(data, tmp_path / "kept", share=0.2, seed=3)
    assert (again.targets, again.histories) == (held.targets, held.histories)
    assert not np.array_equal(hold_out(data, tmp_path / "other", share=0.2, seed=4).items, held.items)


def test_targets_are_the_last_items_that_were_held_out(data: PreparedData, tmp_path: Path) -> None:
    held = hold_out(data, tmp_path / "kept", share=0.2, seed=0)
    expected = []
    for user in range(1, 91):
        events = data.event_items[data.offsets[user] : data.offsets[user + 1]]
        if events[-1] in held.items:
            expected.append(
                ([data.items.id(int(item)) for item in events[:-1] if item not in held.items], data.items.id(int(events[-1])))
            )
    assert list(zip(held.histories, held.targets, strict=True)) == [pair for pair in expected if pair[0]]


def test_negatives_are_known_items_outside_the_history() -> None:
    rows = with_negatives([[1, 2], [150]], [201, 202], known=150, seed=0)
    assert rows[:, 0].tolist() == [201, 202]
    for row, history in zip(rows, ([1, 2], [150]), strict=True):
        assert len(set(row.tolist())) == 100
        assert row[1:].max() <= 150
        assert not set(history) & set(row[1:].tolist())


def test_metrics_of_one_row_by_hand() -> None:
    """The target is fifth of ten, and first."""
    scores = np.array([[5.0, *range(9, 5, -1), *range(5)], [9.0, *range(9)]])
    found = measured(scores)
    assert found["UAUC"].tolist() == pytest.approx([5 / 9, 1])
    assert found["NDCG@10"].tolist() == pytest.approx([1 / np.log2(6), 1])


def test_on_a_walk_between_kinds_new_items_are_ranked_far_above_chance(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    settings = {"model": tiny["model"], "train": tiny["train"] | {"epochs": 12}}
    found = run_cold_items(data.path, tmp_path / "cold", share=0.2, seeds=2, settings=settings)
    means = {row["name"]: row["mean"] for row in found["rows"]}
    assert means["model"]["UAUC"] > 0.75
    assert found[CHANCE] == {"UAUC": 0.5, "model_above": True}
    assert means["model"]["UAUC"] > means["content-kNN, last item"]["UAUC"]  # the walk goes to another kind, never to the same
    assert 0 < found["exposure"] < 0.6
    assert read_json(tmp_path / "cold" / "cold-items.json") == found
    text = (tmp_path / "cold" / "cold-items.md").read_text(encoding="utf-8")
    assert f"{found['targets']:,} targets of 2 draws of 20% of the items" in text


def test_what_cannot_work_is_refused(data: PreparedData, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a share of the items between 0 and 1"):
        run_cold_items(data.path, tmp_path / "cold", share=1.5)
