"""The synthetic log has the requested size, popular items and busy users, and is reproducible."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest


@pytest.fixture
def synthetic(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("synthetic")


def test_the_log_has_the_size_asked_for_and_everybody_is_in_it(
    synthetic: ModuleType, tmp_path: Path
) -> None:
    synthetic.write_log(
        tmp_path / "log.parquet", users=5000, items=700, interactions=60_001, seed=1
    )
    log = pl.read_parquet(tmp_path / "log.parquet")
    assert dict(log.schema) == synthetic.SCHEMA
    assert len(log) == 60_001
    assert set(log["user_id"]) == {f"user-{number:07}" for number in range(5000)}
    assert log["user_id"].value_counts()["count"].min() >= 3
    assert set(log["item_id"]) <= {f"item-{number:07}" for number in range(700)}
    assert log["item_id"].n_unique() > 690


def test_some_items_are_popular_and_some_users_busy_and_time_goes_on(
    synthetic: ModuleType, tmp_path: Path
) -> None:
    synthetic.write_log(tmp_path / "log.parquet", users=5000, items=1000, interactions=100_000)
    log = pl.read_parquet(tmp_path / "log.parquet")
    items = np.sort(log["item_id"].value_counts()["count"].to_numpy())[::-1]
    # the first tenth of the places has a share of .1^(1/4) of the events
    assert abs(items[:100].sum() / 100_000 - 0.1**0.25) < 0.01
    users = log["user_id"].value_counts()["count"]
    assert users.max() > 10 * users.median()
    late = log["timestamp"].diff().drop_nulls()
    assert late.min() > -600
    assert log["timestamp"].max() - log["timestamp"].min() == pytest.approx(
        synthetic.SPAN, rel=0.01
    )


def test_both_formats_and_every_run_hold_the_same_rows(
    synthetic: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthetic, "CHUNK", 1000)  # several chunks, the last one not full
    size = {"users": 90, "items": 50, "interactions": 3333}
    for name in ("a.csv", "b.parquet", "c.parquet", "other.parquet"):
        synthetic.write_log(tmp_path / name, seed=7 + (name == "other.parquet"), **size)
    log = pl.read_parquet(tmp_path / "b.parquet")
    assert pl.read_csv(tmp_path / "a.csv").equals(log)
    assert pl.read_parquet(tmp_path / "c.parquet").equals(log)
    assert not pl.read_parquet(tmp_path / "other.parquet").equals(log)


@pytest.mark.parametrize("size", [1, 2, 3, 10, 97, 1000])
def test_scattering_is_one_to_one(synthetic: ModuleType, size: int) -> None:
    assert sorted(synthetic.scatter(np.arange(size), size).tolist()) == list(range(size))


def test_a_wish_that_cannot_be_met_is_one_line(synthetic: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"unknown file type; give a \.parquet or \.csv"):
        synthetic.write_log(tmp_path / "log.xlsx", users=1, items=1, interactions=1)
    with pytest.raises(SystemExit, match="must be positive"):
        synthetic.write_log(tmp_path / "log.csv", users=1, items=0, interactions=1)
