from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.api import train
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import StorageError
from solidrec.report.semantic_map.describe import (
    explained,
    make_semantics,
    matrices_of,
    quality_of,
    sample_titles,
)
from solidrec.spec import SemanticsSpec


def test_they_are_the_ones_that_train_uses(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    opened, ids = make_semantics(data.path, SemanticsSpec())
    assert opened.fingerprint == data.fingerprint
    run = train(
        data, model="spg", epochs=1, settings=tiny, out=tmp_path / "run", progress=False
    ).run
    assert run.semantics is not None
    assert np.array_equal(run.semantics.of_item, ids.of_item)
    assert run.semantics.facts() == ids.facts()


def test_a_walk_between_groups_is_found_in_its_features(data: PreparedData) -> None:
    _, ids = make_semantics(data.path, SemanticsSpec(clusters=8))
    groups = {
        tuple(sorted(np.arange(40)[ids.of_item[1:] == semantic] // 5)) for semantic in range(1, 9)
    }
    assert groups == {(group,) * 5 for group in range(8)}


def test_the_largest_come_first_with_the_titles_that_occur_most(data: PreparedData) -> None:
    _, ids = make_semantics(data.path, SemanticsSpec(method="categories"))
    samples = sample_titles(data, ids, count=8, titles=2)
    assert [sample["items"] for sample in samples] == [5] * 8
    assert {sample["label"] for sample in samples} == {f"kind {group}" for group in range(8)}
    for sample in samples:
        members = [item for item in range(1, 41) if ids.of_item[item] == sample["semantic"]]
        best = sorted(members, key=lambda item: (-data.train_counts[item], item))[:2]
        assert sample["titles"] == [data.catalog["title"][item - 1] for item in best]
    assert len(sample_titles(data, ids, count=99)) == 8


def test_without_titles_items_go_by_their_ids(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], tmp_path: Path
) -> None:
    log, items = walk(users=20)
    data = prepare(log, items=items.select("item", "categories"), out=tmp_path / "data")
    _, ids = make_semantics(data.path, SemanticsSpec(method="categories"))
    shown = sample_titles(data, ids, count=1)[0]["titles"]
    assert set(shown) <= set(data.items.ids)


def test_only_prepared_data_has_semantics(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is not a data folder"):
        make_semantics(tmp_path, SemanticsSpec())


def test_numbers_that_the_data_has_none_of_are_left_out() -> None:
    sizes = {"smallest": 2, "median": 2.5, "largest": 1234, "alone": 0}
    found = {
        "sizes": sizes,
        "entropy_share": 0.987,
        "purity": None,
        "agreement": {},
        "stability": None,
    }
    assert [row[:2] for row in explained(found)] == [
        ("Sizes", "2 to 1,234, median 2.5"),
        ("Evenness", "0.99"),
    ]
    found |= {
        "purity": {"value": 0.5, "chance": 0.25},
        "agreement": {"image, text": 0.125},
        "stability": 0.75,
    }
    assert [row[:2] for row in explained(found)[2:]] == [
        ("Purity", "0.50 (chance 0.25)"),
        ("Agreement of image and text", "0.12"),
        ("Stability", "0.75"),
    ]


def test_quality_is_of_the_modalities_and_categories_of_the_data(data: PreparedData) -> None:
    _, ids = make_semantics(
        data.path, SemanticsSpec(method="kmeans", modalities=("content", "text"), clusters=8)
    )
    found = quality_of(data, ids, matrices_of(data, ids))
    assert found["purity"]["value"] > 2 * found["purity"]["chance"]
    assert list(found["agreement"]) == ["content, text"]
