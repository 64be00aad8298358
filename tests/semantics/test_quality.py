"""Numbers about a semantic map, on maps whose numbers are known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.quality import (
    Purity,
    _agreement,
    _alone,
    _mutual_information,
    _purity,
    _stability,
    drivers,
    quality,
)


def ids(
    groups: list[int] | np.ndarray, modalities: tuple[str, ...] = ("a",), method: str = "kmeans"
) -> SemanticIds:
    codes = np.concatenate([[0], np.asarray(groups)]).astype(np.int64)[:, None]
    return SemanticIds(
        codes,
        np.zeros((int(codes.max()), 2), dtype=np.float32),
        (),
        method,
        modalities,
        0,
        "asked for",
    )


def topics(seed: int, of_item: np.ndarray, noise: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(of_item.max() + 1, 8))[of_item] + noise * rng.normal(
        size=(len(of_item), 8)
    )


TRUE = np.repeat(np.arange(5), 12)


def test_purity_by_hand() -> None:
    """Two of group 1's three are a, one of group 2's two; unlabelled and "all" do not count."""
    labels = [["a", "all"], ["a", "all"], ["b", "all"], ["b", "all"], ["c", "all"], None]
    found = _purity(np.array([1, 1, 1, 2, 2, 1]), labels)
    assert found is not None
    assert found.value == (2 + 1) / 5
    assert _purity(np.array([1, 2]), [["x"], ["x"]]) is None
    assert _purity(np.array([1, 2]), [None, []]) is None


def test_a_map_of_categories_is_pure_and_a_shuffled_one_is_at_chance() -> None:
    labels = [[f"topic {topic}"] for topic in TRUE]
    right = _purity(TRUE, labels)
    assert right is not None
    assert right.value == 1
    assert 0.2 <= right.chance < 0.5
    wrong = _purity(np.random.default_rng(1).permutation(TRUE), labels)
    assert isinstance(wrong, Purity)
    assert abs(wrong.value - wrong.chance) < 0.15


def test_modalities_that_know_the_same_agree_and_others_do_not() -> None:
    other = np.random.default_rng(9).permutation(TRUE)
    found = _agreement({"a": topics(0, TRUE), "b": topics(1, TRUE), "c": topics(2, other)}, 5)
    assert list(found) == ["a, b", "a, c", "b, c"]
    assert found["a, b"] == pytest.approx(1)
    assert abs(found["a, c"]) < 0.15


def test_agreement_is_over_the_items_that_have_both() -> None:
    first, second = topics(0, TRUE), topics(1, TRUE)
    first[:6], second[-6:] = 0, 0
    assert (_alone(first, 5, seed=0, device="cpu") >= 0).tolist() == [False] * 6 + [True] * 54
    assert _agreement({"a": first, "b": second}, 5)["a, b"] == pytest.approx(1)
    apart = (
        np.where(np.arange(60)[:, None] < 30, first, 0),
        np.where(np.arange(60)[:, None] < 30, 0, second),
    )
    assert _agreement({"a": apart[0], "b": apart[1]}, 2) == {}
    assert _mutual_information(
        np.array([0, 0, 1, -1]), np.array([1, 1, 0, 0])
    ) == adjusted_mutual_info_score([0, 0, 1], [1, 1, 0])


def test_clear_clusters_are_stable_and_noise_is_not() -> None:
    clear, noise = topics(0, TRUE), np.random.default_rng(0).normal(size=(60, 8))
    firm = _stability(ids(_alone(clear, 5, seed=0, device="cpu") + 1), {"a": clear}, seeds=3)
    loose = _stability(ids(_alone(noise, 5, seed=0, device="cpu") + 1), {"a": noise}, seeds=3)
    assert firm == pytest.approx(1)
    assert loose is not None
    assert loose < 0.7
    assert _stability(ids(TRUE + 1), {"a": clear}, seeds=1) is None


def test_the_modality_that_holds_a_group_together_drives_it() -> None:
    """Groups 1-2 are alike in a and mixed in b, groups 3-4 the reverse; group 5 is one item."""
    groups = np.array([1] * 8 + [2] * 8 + [3] * 8 + [4] * 8 + [5])
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(33, 6)), rng.normal(size=(33, 6))
    for group in (1, 2):
        a[groups == group] = rng.normal(size=6) + 0.01 * rng.normal(size=(8, 6))
    for group in (3, 4):
        b[groups == group] = rng.normal(size=6) + 0.01 * rng.normal(size=(8, 6))
    assert drivers(ids(groups, ("a", "b")), {"a": a, "b": b}) == ["a", "a", "b", "b", None]


def test_quality_of_a_whole_map() -> None:
    matrices = {"a": topics(0, TRUE), "b": topics(1, TRUE)}
    found = quality(ids(TRUE + 1, ("a", "b")), matrices, [[str(topic)] for topic in TRUE])
    assert found["sizes"] == {"smallest": 12, "median": 12.0, "largest": 12, "alone": 0}
    assert found["entropy_share"] == pytest.approx(1)
    assert found["purity"]["value"] == 1
    assert found["stability"] == pytest.approx(1)
    assert found["agreement"]["a, b"] == pytest.approx(1)
    named = quality(ids(TRUE + 1, ("a",), "categories"), matrices)
    assert (named["stability"], named["purity"]) == (None, None)
