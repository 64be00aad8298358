"""Semantic ids from categories: the nearest of an item's own (Eq. 8-10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

UNLABELLED = "(no category)"


class _Primary(NamedTuple):
    """Primary categories: ``of_item`` (V,) in 0..S-1, ``centroids`` (S, F), ``labels`` (S,)."""

    of_item: np.ndarray
    centroids: np.ndarray
    labels: tuple[str, ...]


def nearest_category(vectors: np.ndarray, categories: Sequence[Sequence[str]]) -> _Primary:
    """Return each item's primary category: of its own, the one whose centroid is nearest.

    `vectors` (V, F); a centroid is the mean over all items of the category (Eq. 8), the distance is
    Euclidean (Eq. 9), ties go to the first label in alphabetical order. Items without a category
    share the label ``(no category)``. Categories that are no item's primary one are left out.

    >>> nearest_category(np.array([[0.0], [1.0], [9.0]]), [["a"], ["a", "b"], ["b"]]).labels
    ('a', 'b')
    """
    own = [sorted(set(labels)) or [UNLABELLED] for labels in categories]
    labels = sorted({label for item in own for label in item})
    number = {label: i for i, label in enumerate(labels)}
    # every (item, label) pair, and its distance to the label's centroid
    item = np.repeat(np.arange(len(own)), [len(labels_of) for labels_of in own])
    label = np.array([number[name] for labels_of in own for name in labels_of])
    centroids = centroid_of_each(vectors.astype(np.float64), item, label, len(labels))
    apart = np.linalg.norm(vectors[item] - centroids[label], axis=1)
    order = np.lexsort((label, apart, item))  # the nearest label of each item comes first
    first = np.r_[True, item[order][1:] != item[order][:-1]]
    used, of_item = np.unique(label[order][first], return_inverse=True)
    return _Primary(of_item, centroids[used].astype(np.float32), tuple(labels[i] for i in used))


def centroid_of_each(
    vectors: np.ndarray, item: np.ndarray, label: np.ndarray, count: int
) -> np.ndarray:
    """Return the (count, F) means over the (item, label) pairs (Eq. 8)."""
    sums = np.zeros((count, vectors.shape[1]))
    np.add.at(sums, label, vectors[item])
    return np.asarray(sums / np.bincount(label, minlength=count)[:, None])
