"""New items: an embedding that says what their content says, shown as often as others, and the ids of their like."""

from __future__ import annotations

import json

import numpy as np
import pytest

from solidrec.semantics.cold import ColdStart, fit_cold, place, r2, spread, stretch
from solidrec.semantics.content import Content, Part
from solidrec.semantics.fuse import fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.plan import cluster

WIDTH, DIM, ITEMS = 6, 4, 300
CONTENT = Content((Part("image", WIDTH),))


def world(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit content vectors, embeddings that are a linear map of them with noise, and user vectors."""
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(ITEMS, WIDTH))
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    true = rng.normal(size=(WIDTH, DIM))
    embeddings = content @ true + 1 + noise * rng.normal(size=(ITEMS, DIM))
    return content.astype(np.float32), embeddings, rng.normal(size=(200, DIM))


def test_a_linear_map_is_found_exactly() -> None:
    content, embeddings, users = world(0.0)
    cold = fit_cold(CONTENT, {"image": content[:200]}, embeddings[:200], np.full(200, 5), users=users)
    assert cold.facts["r2"] > 0.999
    assert cold.facts["stretch"] == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(cold.embed({"image": content[200:]}), embeddings[200:], atol=0.1)


def test_items_that_were_seen_never_teach_nothing_and_those_without_content_get_the_mean() -> None:
    content, embeddings, users = world(0.0)
    wrong = embeddings.copy()
    counts = np.full(ITEMS, 3)
    wrong[250:], counts[250:] = 1e3, 0
    content[10:20] = 0
    cold = fit_cold(CONTENT, {"image": content}, wrong, counts, users=users)
    assert cold.facts["items"] == 240
    np.testing.assert_allclose(cold.embed({"image": content[250:]}), embeddings[250:], atol=0.1)
    np.testing.assert_allclose(cold.embed({"image": np.zeros((1, WIDTH))})[0], wrong[:250].mean(0), rtol=1e-5)


@pytest.mark.parametrize("noise", [0.5, 1.5])
def test_new_items_take_their_share_of_the_first_places(noise: float) -> None:
    """60 of 300 items are new. As predicted they are hidden; stretched, they fill about a fifth of the first ten places."""
    content, embeddings, users = world(noise)
    old, new = slice(0, 240), slice(240, 300)
    cold = fit_cold(CONTENT, {"image": content[old]}, embeddings[old], np.full(240, 5), users=users)

    def share(vectors: np.ndarray) -> float:
        scores = users @ np.concatenate([embeddings[old], vectors]).T
        return float((np.argsort(-scores, axis=1)[:, :10] >= 240).mean())

    stretched = cold.embed({"image": content[new]})
    plain = cold.base + (stretched - cold.base) / cold.facts["stretch"]
    assert 0.14 < share(stretched) < 0.28
    assert share(plain) < share(stretched) - 0.04
    assert cold.facts["stretch"] > 1.1


def test_without_user_vectors_predictions_get_the_spread_of_what_was_learned() -> None:
    content, embeddings, _ = world(1.0)
    cold = fit_cold(CONTENT, {"image": content}, embeddings, np.full(ITEMS, 2))
    assert cold.embed({"image": content}).var(0).sum() == pytest.approx(embeddings.var(0).sum(), rel=0.15)
    assert spread(np.array([[0.0], [4.0]]), np.array([[1.0], [2.0]])) == 4


def test_stretch_is_one_when_nothing_is_lost_and_at_most_eight() -> None:
    rng = np.random.default_rng(0)
    targets, users = rng.normal(size=(100, 3)), rng.normal(size=(50, 3))
    assert stretch(targets, targets, targets.mean(0), users) == pytest.approx(1, abs=0.1)
    base = targets.mean(0)
    assert stretch(targets, np.tile(base, (100, 1)), base, users) == pytest.approx(8, rel=0.01)


def test_r2_by_hand() -> None:
    targets = np.array([[0.0], [2.0], [4.0]])
    weights = np.array([1, 1, 2])
    mean = (0 + 2 + 8) / 4
    total = (mean**2 + (2 - mean) ** 2 + 2 * (4 - mean) ** 2) / 4
    assert r2(targets, targets + 1, weights) == pytest.approx(1 - 1 / total)


@pytest.mark.parametrize("items", [0, 5])
def test_too_few_items_teach_the_mean(items: int) -> None:
    content, embeddings, _ = world(0.0)
    cold = fit_cold(CONTENT, {"image": content[:items]}, embeddings[:items] if items else embeddings[:1], np.ones(max(items, 1)))
    expected = embeddings[: max(items, 1)].mean(0)
    np.testing.assert_allclose(cold.embed({"image": content[:3]}), [expected] * 3, rtol=1e-5)
    assert not np.shares_memory(cold.bias, cold.base)  # safetensors writes no memory twice


def test_round_trip() -> None:
    content, embeddings, users = world(0.3)
    cold = fit_cold(CONTENT, {"image": content}, embeddings, np.full(ITEMS, 2), users=users)
    again = ColdStart.of(json.loads(json.dumps(cold.plain())), cold.arrays())
    assert np.array_equal(again.embed({"image": content}), cold.embed({"image": content}))


def made(levels: int, missing: int = 0) -> tuple[SemanticIds, np.ndarray]:
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(5, 8))[np.arange(60) % 5] * 3 + 0.3 * rng.normal(size=(60, 8))
    matrix[:missing] = 0
    groups, centroids = cluster(fuse([matrix]), 5, levels=levels, seed=0, device="cpu")
    codes = np.concatenate([np.zeros((1, levels), dtype=np.int64), groups + 1])
    return SemanticIds(codes, centroids, (), "kmeans", ("image",), 0, ""), matrix


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
    ids = SemanticIds(np.array([[0], [1], [2], [3]]), centroids, ("a", "b", "c"), "categories", ("image",), 0, "")
    new = {"image": np.array([[0.1, 1.0]] * 4)}
    found = place(ids, new, [["a"], ["a", "c"], ["unknown"], None])[:, 0]
    assert [ids.labels[number - 1] for number in found] == ["a", "c", "b", "b"]


def test_a_category_is_enough_where_the_content_is_an_id_embedding() -> None:
    """Ids that are categories, placed by item embeddings that a new item cannot have."""
    centroids = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], dtype=np.float32)
    ids = SemanticIds(np.array([[0], [1], [2], [3], [3]]), centroids, ("a", "b", "c"), "categories", ("id",), 0, "")
    found = place(ids, {}, [["b"], ["c", "b"], ["unknown"], None])[:, 0]
    assert [ids.labels[number - 1] for number in found] == ["b", "b", "c", "c"]  # the first of its own, else the largest


def test_random_ids_are_dealt_on() -> None:
    ids = SemanticIds(np.array([[0], [1], [2], [3]]), np.zeros((3, 1), dtype=np.float32), (), "random", (), 4, "")
    found = place(ids, {}, [None] * 50)
    assert found.shape == (50, 1)
    assert set(found[:, 0].tolist()) == {1, 2, 3}
