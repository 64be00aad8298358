"""Eq. 8-10 against a naive loop."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.semantics.categories import UNLABELLED, nearest_category


def naive(vectors: np.ndarray, categories: list[list[str]]) -> list[str]:
    """The label of each item: the one of its categories whose mean of items is nearest."""
    found = []
    for vector, own in zip(vectors, categories, strict=True):
        best, best_distance = UNLABELLED, np.inf
        for label in sorted(set(own)):
            members = [v for v, labels in zip(vectors, categories, strict=True) if label in labels]
            distance = float(np.sqrt(((vector - np.mean(members, axis=0)) ** 2).sum()))
            if distance < best_distance:
                best, best_distance = label, distance
        found.append(best)
    return found


@pytest.mark.parametrize("seed", range(10))
def test_equals_a_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(40, 5)).astype(np.float32)
    names = list("abcdefg")
    categories = [
        list(rng.choice(names, size=rng.integers(0, 4))) for _ in range(40)
    ]  # repeats and none included
    found = nearest_category(vectors, categories)
    expected = naive(vectors.astype(np.float64), categories)
    assert [found.labels[group] for group in found.of_item] == expected
    assert list(found.labels) == sorted(set(expected))
    for group, label in enumerate(found.labels):
        members = [
            v
            for v, own in zip(vectors, categories, strict=True)
            if label in own or (label == UNLABELLED and not own)
        ]
        np.testing.assert_allclose(
            found.centroids[group], np.mean(members, axis=0), rtol=1e-5, atol=1e-6
        )


def test_by_hand() -> None:
    """Centroids a = (0 + 1) / 2 and b = (1 + 9) / 2: item 1 is .5 from a and 4 from b."""
    found = nearest_category(np.array([[0.0], [1.0], [9.0]]), [["a"], ["b", "a"], ["b"]])
    assert found.of_item.tolist() == [0, 0, 1]
    assert found.centroids.tolist() == [[0.5], [5.0]]


def test_ties_go_to_the_first_in_alphabetical_order() -> None:
    """Both categories hold the same items, so their centroids are one."""
    found = nearest_category(np.array([[0.0], [1.0]]), [["b", "a"], ["a", "b"]])
    assert found.labels == ("a",)
    assert found.of_item.tolist() == [0, 0]


def test_categories_that_are_nobodys_primary_are_left_out() -> None:
    found = nearest_category(
        np.array([[0.0], [10.0], [0.5]]), [["a", "wide"], ["b", "wide"], ["a"]]
    )
    assert found.labels == ("a", "b")
    assert len(found.centroids) == 2


def test_items_without_categories_share_a_label() -> None:
    found = nearest_category(np.zeros((3, 2)), [[], ["a"], []])
    assert found.labels == (UNLABELLED, "a")
    assert found.of_item.tolist() == [0, 1, 0]
