"""What a peer is asked for, and how its answers are counted: as ours are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.runner import evaluate

Script = Callable[[str], ModuleType]


@pytest.fixture
def peers(script: Script) -> ModuleType:
    return script("quality_peers")


def test_the_log_has_every_event_once_and_says_which_are_held_out(
    peers: ModuleType, data: PreparedData, tmp_path: Path
) -> None:
    peers.write_log(data, tmp_path / "log.parquet")
    log = pl.read_parquet(tmp_path / "log.parquet")
    assert len(log) == len(data.event_items)
    for split in ("valid", "test"):
        rows = data.rows(split)  # type: ignore[arg-type]
        part = log.filter(pl.col("part") == split)
        assert part["user"].to_list() == (rows.users - 1).tolist()
        assert part["item"].to_list() == (rows.targets - 1).tolist()
    train = log.filter(pl.col("part") == "train")
    assert len(train) == data.train_counts.sum()
    assert log["time"].is_sorted()


def test_a_peers_ranks_are_counted_as_ours(peers: ModuleType, data: PreparedData) -> None:
    """Ranks of the target among ten, 0 for none, give the NDCG@10 of our own evaluation."""
    scores = np.random.default_rng(0).normal(size=len(data.items) + 1)
    rows, places = data.rows("test"), []
    for user, position, target in zip(rows.users, rows.positions, rows.targets, strict=True):
        had = set(data.event_items[data.offsets[user] : position].tolist())
        best = [item for item in np.argsort(-scores[1:]) + 1 if item not in had][:10]
        places.append(best.index(target) + 1 if target in best else 0)
    found: Any = evaluate(
        lambda h, c: np.broadcast_to(scores, (len(h), len(scores)))[np.arange(len(h))[:, None], c],
        data,
        protocol="full",
    )
    assert peers.ndcg(np.array(places)) == pytest.approx(found.metrics["NDCG@10"])


def test_the_table_has_a_line_a_row(peers: ModuleType) -> None:
    row = {
        "data": "d",
        "name": "sasrec",
        "version": "rectools 1",
        "NDCG@10": 0.05,
        "Recall@10": 0.1,
        "cpu": 10,
        "cpu_of_all_trials": 1234,
    }
    assert (
        peers.table([row]).splitlines()[2]
        == "| d | rectools 1 sasrec | 0.0500 | 0.1000 | 10 (1,234) |"
    )
