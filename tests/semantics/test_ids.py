"""Semantic ids survive the disk, and damage is noticed."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from solidrec.errors import DamagedError, StorageError, UsageError
from solidrec.semantics.ids import SemanticIds

IDS = SemanticIds(
    codes=np.array([[0], [1], [1], [2], [1]]),
    centroids=np.array([[0.5, 1.0], [2.0, 3.0], [4.0, 5.0]], dtype=np.float32),
    labels=("Action", "Drama é", "Noir"),
    method="categories",
    modalities=("text",),
    seed=3,
    reason="asked for",
)


def test_round_trip(tmp_path: Path) -> None:
    IDS.save(tmp_path / "semantics")
    found = SemanticIds.load(tmp_path / "semantics")
    for field in dataclasses.fields(SemanticIds):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(IDS, field.name))
    assert found.of_item.dtype == np.int64
    assert found.centroids.dtype == np.float32


def test_saving_again_replaces(tmp_path: Path) -> None:
    IDS.save(tmp_path / "semantics")
    dataclasses.replace(IDS, seed=4).save(tmp_path / "semantics")
    assert SemanticIds.load(tmp_path / "semantics").seed == 4
    assert [path.name for path in tmp_path.iterdir()] == ["semantics"]


def test_facts_by_hand() -> None:
    """Sizes 3, 1 and 0: entropy of (3/4, 1/4) over log 3."""
    facts = IDS.facts()
    assert (facts["count"], facts["items"], facts["largest"], facts["empty"]) == (3, 4, 3, 1)
    entropy = -(3 / 4 * math.log(3 / 4) + 1 / 4 * math.log(1 / 4))
    assert facts["entropy_share"] == pytest.approx(entropy / math.log(3))
    assert IDS.members(1).tolist() == [1, 2, 4]
    assert IDS.members(3).tolist() == []


def test_one_semantic_for_all_has_no_entropy() -> None:
    alone = dataclasses.replace(
        IDS,
        codes=np.array([[0], [1], [1]]),
        centroids=np.zeros((1, 2), dtype=np.float32),
        labels=("a",),
    )
    assert alone.facts()["entropy_share"] == 0


@pytest.mark.parametrize("name", ["of_item.npy", "centroids.npy", "semantics.json"])
def test_damage_is_noticed(tmp_path: Path, name: str) -> None:
    IDS.save(tmp_path / "s")
    content = bytearray((tmp_path / "s" / name).read_bytes())
    content[-2] ^= 1
    (tmp_path / "s" / name).write_bytes(content)
    with pytest.raises(DamagedError, match=name):
        SemanticIds.load(tmp_path / "s")
    (tmp_path / "s" / name).unlink()
    with pytest.raises(DamagedError, match=name):
        SemanticIds.load(tmp_path / "s")


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is not a semantics folder"):
        SemanticIds.load(tmp_path)


def test_check_counts_the_catalogue() -> None:
    assert IDS.check(4) is IDS
    with pytest.raises(UsageError, match="of 4 items, the data has 5"):
        IDS.check(5)


def test_several_levels_survive_the_disk(tmp_path: Path) -> None:
    """Ids 1-2 are the first level's, 3-5 the second's; three of the four items differ."""
    codes = np.array([[0, 0], [1, 3], [1, 4], [2, 3], [1, 3]])
    deep = dataclasses.replace(
        IDS,
        codes=codes,
        centroids=np.zeros((5, 2), dtype=np.float32),
        labels=(),
        weights=(1.0, 0.5),
    )
    deep.save(tmp_path / "s")
    found = SemanticIds.load(tmp_path / "s")
    assert found.codes.tolist() == found.table.tolist() == codes.tolist()
    assert (found.levels, found.count, found.weights) == (2, 2, (1.0, 0.5))
    assert found.of_item.tolist() == [0, 1, 1, 2, 1]
    facts = found.facts()
    assert (
        facts["count"],
        facts["codes"],
        facts["levels"],
        facts["distinct"],
        facts["largest"],
    ) == (2, 5, 2, 3, 3)
    assert IDS.table.tolist() == IDS.of_item.tolist()
