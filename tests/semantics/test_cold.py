"""New items: embeddings from their content, shown as often as others, ids of similar items."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from solidrec.semantics import cold as module
from solidrec.semantics.cold import ColdStart, _r2, _regress, fit_cold, stretch
from solidrec.semantics.content import ContentPart, ItemContent

WIDTH, DIM, ITEMS = 6, 4, 300
CONTENT = ItemContent((ContentPart("image", WIDTH),))


def world(noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit content vectors, embeddings that are a noisy linear map of them, and user vectors."""
    rng = np.random.default_rng(seed)
    content = rng.normal(size=(ITEMS, WIDTH))
    content /= np.linalg.norm(content, axis=1, keepdims=True)
    true = rng.normal(size=(WIDTH, DIM))
    embeddings = content @ true + 1 + noise * rng.normal(size=(ITEMS, DIM))
    return content.astype(np.float32), embeddings, rng.normal(size=(200, DIM))


def dots(users: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Scores by dot products with some users."""
    return lambda embeddings: users @ embeddings.T


def test_a_linear_map_is_found_exactly() -> None:
    content, embeddings, users = world(0.0)
    cold = fit_cold(
        CONTENT, {"image": content[:200]}, embeddings[:200], np.full(200, 5), score=dots(users)
    )
    assert cold.facts["r2"] > 0.999
    assert cold.facts["stretch"] == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(cold.embed({"image": content[200:]}), embeddings[200:], atol=0.1)


def test_items_that_were_seen_never_teach_nothing_and_those_without_content_get_the_mean() -> None:
    content, embeddings, users = world(0.0)
    wrong = embeddings.copy()
    counts = np.full(ITEMS, 3)
    wrong[250:], counts[250:] = 1e3, 0
    content[10:20] = 0
    cold = fit_cold(CONTENT, {"image": content}, wrong, counts, score=dots(users))
    assert cold.facts["items"] == 240
    np.testing.assert_allclose(cold.embed({"image": content[250:]}), embeddings[250:], atol=0.1)
    np.testing.assert_allclose(
        cold.embed({"image": np.zeros((1, WIDTH))})[0], wrong[:250].mean(0), rtol=1e-5
    )


@pytest.mark.parametrize("noise", [0.5, 1.5])
def test_new_items_take_their_share_of_the_first_places(noise: float) -> None:
    """60 of 300 items are new: hidden as predicted, about a fifth of the top ten if stretched."""
    content, embeddings, users = world(noise)
    old, new = slice(0, 240), slice(240, 300)
    cold = fit_cold(
        CONTENT, {"image": content[old]}, embeddings[old], np.full(240, 5), score=dots(users)
    )

    def share(vectors: np.ndarray) -> float:
        scores = users @ np.concatenate([embeddings[old], vectors]).T
        return float((np.argsort(-scores, axis=1)[:, :10] >= 240).mean())

    stretched = cold.embed({"image": content[new]})
    plain = cold.base + (stretched - cold.base) / cold.facts["stretch"]
    assert 0.14 < share(stretched) < 0.28
    assert share(plain) < share(stretched) - 0.04
    assert cold.facts["stretch"] > 1.1


def test_a_map_that_explains_nothing_is_not_stretched() -> None:
    """Content does not explain the embeddings: stretched, new items would be noise at the top."""
    content, _, users = world(0.0)
    noise = np.random.default_rng(5).normal(size=(ITEMS, DIM))
    cold = fit_cold(CONTENT, {"image": content}, noise, np.full(ITEMS, 2), score=dots(users))
    assert cold.facts["r2"] < 0.05
    assert cold.facts["stretch"] == 1
    assert np.abs(cold.embed({"image": content}) - noise.mean(0)).max() < 0.5


def test_stretch_is_one_when_nothing_is_lost_and_at_most_eight() -> None:
    rng = np.random.default_rng(0)
    targets, users = rng.normal(size=(100, 3)), rng.normal(size=(50, 3))
    centre = targets.mean(0)
    assert stretch(targets, targets, centre, dots(users)) == pytest.approx(1, abs=0.1)
    assert stretch(targets, np.tile(centre, (100, 1)), centre, dots(users)) == pytest.approx(
        8, rel=0.01
    )


def test_stretching_keeps_the_centre_of_what_is_predicted() -> None:
    """New items as a whole move nowhere, only apart: none gains by being new."""
    content, embeddings, users = world(1.0)
    cold = fit_cold(CONTENT, {"image": content}, embeddings, np.full(ITEMS, 5), score=dots(users))
    plain = _regress(content.astype(np.float64), embeddings, np.full(ITEMS, 5))
    np.testing.assert_allclose(
        cold.embed({"image": content}).mean(0), plain.left_out.mean(0), atol=0.02
    )


def test_wide_content_is_read_by_its_principal_components(monkeypatch: pytest.MonkeyPatch) -> None:
    """As good as all of it where the rest is noise, and exact where there is no rest."""
    content, embeddings, _ = world(0.0)
    wide = np.concatenate(
        [content, 1e-6 * np.random.default_rng(1).normal(size=(ITEMS, 30))], axis=1
    ).astype(np.float64)
    weights = np.ones(ITEMS)
    whole = _regress(wide, embeddings, weights)
    monkeypatch.setattr(module, "_WIDEST", WIDTH)
    narrow = _regress(wide, embeddings, weights)
    np.testing.assert_allclose(
        wide @ narrow.weight + narrow.bias, wide @ whole.weight + whole.bias, atol=0.02
    )
    np.testing.assert_allclose(narrow.left_out, whole.left_out, atol=0.02)


def test_r2_by_hand() -> None:
    targets = np.array([[0.0], [2.0], [4.0]])
    weights = np.array([1, 1, 2])
    mean = (0 + 2 + 8) / 4
    total = (mean**2 + (2 - mean) ** 2 + 2 * (4 - mean) ** 2) / 4
    assert _r2(targets, targets + 1, weights) == pytest.approx(1 - 1 / total)


@pytest.mark.parametrize("items", [0, 5])
def test_too_few_items_teach_the_mean(items: int) -> None:
    content, embeddings, _ = world(0.0)
    few = embeddings[:items] if items else embeddings[:1]
    cold = fit_cold(
        CONTENT,
        {"image": content[:items]},
        few,
        np.ones(max(items, 1)),
        score=dots(np.ones((2, DIM))),
    )
    expected = embeddings[: max(items, 1)].mean(0)
    np.testing.assert_allclose(cold.embed({"image": content[:3]}), [expected] * 3, rtol=1e-5)
    assert not np.shares_memory(cold.bias, cold.base)  # safetensors writes no memory twice


def test_round_trip() -> None:
    content, embeddings, users = world(0.3)
    cold = fit_cold(CONTENT, {"image": content}, embeddings, np.full(ITEMS, 2), score=dots(users))
    again = ColdStart.of(json.loads(json.dumps(cold.plain())), cold.arrays())
    assert np.array_equal(again.embed({"image": content}), cold.embed({"image": content}))


def test_an_item_weighs_as_often_as_it_was_seen_up_to_the_median() -> None:
    """scikit-learn's ridge with these weights; weights of 1 or without the median differ."""
    content, embeddings, users = world(0.5)
    counts = np.repeat([1, 4, 1000], ITEMS // 3)
    cold = fit_cold(CONTENT, {"image": content}, embeddings, counts, score=dots(users))
    by = cold.facts["stretch"]

    def ridge(weights: np.ndarray) -> np.ndarray:
        model = Ridge(alpha=cold.facts["alpha"]).fit(
            content.astype(np.float64), embeddings, sample_weight=weights
        )
        return np.asarray(model.coef_.T)

    np.testing.assert_allclose(cold.weight, by * ridge(np.minimum(counts, 4)), rtol=1e-5)
    for other in (counts, np.ones(ITEMS)):
        assert np.abs(cold.weight - by * ridge(other)).max() > 0.01
