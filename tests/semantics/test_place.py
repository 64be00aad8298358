"""Semantic ids of new items: from similar items, from categories, or from unknown items."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.semantics.fuse import fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.make_ids import cluster
from solidrec.semantics.place import place


def made(levels: int, missing: int = 0) -> tuple[SemanticIds, np.ndarray]:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(5, 8))[np.arange(60) % 5] * 3 + 0.3 * rng.normal(size=(60, 8))
    matrix[:missing] = 0
    groups, centroids = cluster(fuse([matrix]), 5, levels=levels, seed=0, device="cpu")
    codes = np.concatenate([np.zeros((1, levels), dtype=np.int64), groups + 1])
    bare = int(codes[1, 0]) if missing else 0
    return SemanticIds(codes, centroids, (), "kmeans", ("image",), 0, "", bare=bare), matrix


@pytest.mark.parametrize("levels", [1, 3])
def test_an_item_with_the_content_of_an_old_one_gets_its_ids(levels: int) -> None:
    ids, matrix = made(levels)
    assert np.array_equal(place(ids, {"image": matrix}, [None] * 60), ids.codes[1:])


def test_an_item_without_content_joins_its_like_or_the_largest() -> None:
    ids, matrix = made(2, missing=3)
    assert np.array_equal(place(ids, {"image": matrix[:4]}, [None] * 4), ids.codes[1:5])
    assert len(np.unique(ids.codes[1:4])) == 1
    full, _ = made(2)
    largest = np.bincount(full.of_item[1:]).argmax()
    assert place(full, {"image": np.zeros((1, 8))}, [None])[0, 0] == largest


def test_an_id_embedding_that_a_new_item_cannot_have_is_left_out() -> None:
    rng = np.random.default_rng(0)
    _, matrix = made(1)
    both = fuse([rng.normal(size=(60, 4)), matrix], [1.0, 2.0])
    groups, centroids = cluster(both, 5, levels=1, seed=0, device="cpu")
    codes = np.concatenate([np.zeros((1, 1), dtype=np.int64), groups + 1])
    mixed = SemanticIds(codes, centroids, (), "kmeans", ("id", "image"), 0, "", (1.0, 2.0))
    found = place(mixed, {"image": matrix}, [None] * 60)[:, 0]
    block = both.vectors[:, 4:]
    expected = ((block[:, None] - centroids[None, :, 4:]) ** 2).sum(-1).argmin(1) + 1
    assert np.array_equal(found, expected)


def test_of_its_own_categories_an_item_gets_the_nearest() -> None:
    centroids = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=np.float32)
    ids = SemanticIds(
        np.array([[0], [1], [2], [3]]), centroids, ("a", "b", "c"), "categories", ("image",), 0, ""
    )
    new = {"image": np.array([[0.1, 1.0]] * 4)}
    found = place(ids, new, [["a"], ["a", "c"], ["unknown"], None])[:, 0]
    assert [ids.labels[number - 1] for number in found] == ["a", "c", "b", "b"]


def test_a_category_is_enough_where_the_content_is_an_id_embedding() -> None:
    """Ids that are categories, placed by item embeddings that a new item cannot have."""
    centroids = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=np.float32)
    ids = SemanticIds(
        np.array([[0], [1], [2], [3], [3]]),
        centroids,
        ("a", "b", "c"),
        "categories",
        ("id",),
        0,
        "",
    )
    found = place(ids, {}, [["b"], ["c", "b"], ["unknown"], None])[:, 0]
    assert [ids.labels[number - 1] for number in found] == [
        "b",
        "b",
        "c",
        "c",
    ]  # the first of its own, else the largest


def test_random_ids_are_dealt_on() -> None:
    ids = SemanticIds(
        np.array([[0], [1], [2], [3]]), np.zeros((3, 1), dtype=np.float32), (), "random", (), 4, ""
    )
    found = place(ids, {}, [None] * 50)
    assert found.shape == (50, 1)
    assert set(found[:, 0].tolist()) == {1, 2, 3}


@pytest.mark.parametrize("items", [1, 2, 6])
def test_levels_that_leave_nothing_over(items: int) -> None:
    """All alike: the second level's one centroid is zero, and is no id of items without content."""
    matrix = np.ones((items, 3))
    groups, centroids = cluster(fuse([matrix]), 2, levels=2, seed=0, device="cpu")
    codes = np.concatenate([np.zeros((1, 2), dtype=np.int64), groups + 1])
    ids = SemanticIds(codes, centroids, (), "kmeans", ("image",), 0, "")
    assert np.array_equal(place(ids, {"image": matrix}, [None] * items), ids.codes[1:])
    assert place(ids, {"image": np.zeros((1, 3))}, [None]).tolist() == [ids.codes[1].tolist()]
