"""Items that training never saw, ranked by their content, on a walk whose answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.json_files import read_json
from solidrec.measures.cold_items import (
    KNOWN,
    MODEL,
    NEW,
    WITHOUT,
    _by_item,
    _measured,
    _with_negatives,
    run_cold_items,
)


def test_negatives_are_of_the_pool_and_outside_the_history() -> None:
    rows = _with_negatives([[1, 2], [150]], np.array([201, 202]), np.arange(1, 151), seed=0)
    assert rows[:, 0].tolist() == [201, 202]
    for row, history in zip(rows, ([1, 2], [150]), strict=True):
        assert len(set(row.tolist())) == 100
        assert row[1:].max() <= 150
        assert not set(history) & set(row[1:].tolist())
    among = _with_negatives([[1], [2]], np.array([7, 8]), np.arange(5, 10), seed=0)
    assert [sorted(row.tolist()) for row in among] == [[5, 6, 7, 8, 9]] * 2


def test_every_item_counts_once() -> None:
    found = _by_item({"a": np.array([1.0, 0.0, 0.5])}, np.array([9, 9, 4]))
    assert found["a"].tolist() == [0.5, (1 + 0) / 2]


def test_metrics_of_one_row_by_hand() -> None:
    """The target is fifth of ten, and first."""
    scores = np.array([[5.0, *range(9, 5, -1), *range(5)], [9.0, *range(9)]])
    found = _measured(scores)
    assert found["UAUC"].tolist() == pytest.approx([5 / 9, 1])
    assert found["NDCG@10"].tolist() == pytest.approx([1 / np.log2(6), 1])


def test_on_a_walk_between_kinds_new_items_are_ranked_by_their_content(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    settings = {"model": tiny["model"], "train": tiny["train"] | {"epochs": 60}}
    found = run_cold_items(data.path, tmp_path / "cold", share=0.2, seeds=2, settings=settings)
    assert [part["among"] for part in found["tables"]] == [KNOWN, NEW]
    for part in found["tables"]:
        means = {row["name"]: row["mean"]["UAUC"] for row in part["rows"]}
        assert means[MODEL] > 0.7
        assert means[MODEL] > means[WITHOUT] + 0.1  # it is the content, not being new
        assert (
            means[MODEL] > means["content-kNN, last item"]
        )  # the walk goes to another kind, never to the same
        gap = next(
            gap
            for gap in part["differences"]
            if gap["other"] == WITHOUT and gap["metric"] == "UAUC"
        )
        assert gap["mean"] == pytest.approx(means[MODEL] - means[WITHOUT])
    assert 0 < found["exposure"] < 0.6
    assert 8 < found["items"] <= 16
    assert read_json(tmp_path / "cold" / "cold-items.json") == found
    text = (tmp_path / "cold" / "cold-items.md").read_text(encoding="utf-8")
    assert (
        f"{found['targets']:,} targets, {found['items']} items of 2 draws of 20% of the items"
        in text
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"share": 1.5}, "a share above 0 that leaves each draw items of its own"),
        ({"share": 0.4, "seeds": 3}, "a share above 0 that leaves each draw items of its own"),
        ({"settings": {"seed": 3}}, "--set seed: is what this experiment varies"),
        (
            {"settings": {"model": {"name": "duet"}}},
            "--set model.name: is what this experiment varies",
        ),
    ],
)
def test_what_cannot_work_is_refused(
    options: dict[str, Any], text: str, data: PreparedData, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=text):
        run_cold_items(data.path, tmp_path / "cold", **options)
