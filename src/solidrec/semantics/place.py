"""Semantic ids of items that come later: the nearest centroids of those made in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from solidrec.semantics.categories import UNLABELLED
from solidrec.semantics.fuse import Fused, side_by_side
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import assign, points_of
from solidrec.semantics.modality import ID


def place(
    ids: SemanticIds, matrices: Mapping[str, np.ndarray], categories: Sequence[Sequence[str] | None]
) -> np.ndarray:
    """Return (n, levels) semantic ids of new items: the nearest centroids, level by level.

    An item with the content of a known one gets its ids. With method *categories* an item's own
    known categories are compared, if there are any, and a missing modality counts as zeros, as in
    training. An item without any modality that the ids were made of gets the id of such items, or
    else the largest. Random ids are drawn uniformly.
    """
    if ids.method == "random":
        return np.random.default_rng(ids.seed).integers(1, ids.count + 1, size=(len(categories), 1))
    fused = _parts_of(ids, matrices, len(categories))
    bare = ~fused.present.any(axis=1)
    if ids.method == "categories":
        codes = _nearest_categories(ids, fused, categories)
        # with a known category, an item is not bare
        bare &= np.array([not _numbers(ids, labels) for labels in categories], dtype=bool)
    else:
        codes = _nearest_levels(ids, fused)
    if bare.any():
        codes[bare] = group_of_the_bare(ids)
    return codes


def _parts_of(ids: SemanticIds, matrices: Mapping[str, np.ndarray], count: int) -> Fused:
    """Return the content in the form of the centroids; new items have no id embedding."""
    known = sum(matrices[name].shape[1] for name in ids.modalities if name != ID)
    blank = np.zeros((count, ids.centroids.shape[1] - known), dtype=np.float32)
    parts = [blank if name == ID else matrices[name] for name in ids.modalities]
    return side_by_side(parts, ids.weights or None)


def _nearest_levels(ids: SemanticIds, fused: Fused) -> np.ndarray:
    """Return (n, levels) ids of k-means, by the parts that each item has, as in training."""
    codes = np.zeros((len(fused.vectors), ids.levels), dtype=np.int64)
    left = fused
    for level in range(ids.levels):
        own = np.setdiff1d(ids.codes[1:, level], [ids.bare])  # the ids of the level
        points = points_of(left, None, "cpu")
        labels, _ = assign(points, torch.from_numpy(ids.centroids[own - 1]))
        codes[:, level] = own[labels.numpy()]
        left = left.less(ids.centroids[codes[:, level] - 1])
    return codes


def _nearest_categories(
    ids: SemanticIds, fused: Fused, categories: Sequence[Sequence[str] | None]
) -> np.ndarray:
    """Return (n, 1) ids by whole vectors (Eq. 9), but for id embeddings, which no new item has."""
    read = np.repeat([name != ID for name in ids.modalities], fused.widths)
    vectors, centroids = fused.vectors[:, read], ids.centroids[:, read].astype(np.float64)
    codes = np.zeros((len(vectors), 1), dtype=np.int64)
    every = list(range(1, ids.count + 1))
    for row, own in enumerate(categories):
        numbers = np.array(_numbers(ids, own) or every)
        apart = np.linalg.norm(vectors[row] - centroids[numbers - 1], axis=1)
        codes[row] = numbers[apart.argmin()]
    return codes


def _numbers(ids: SemanticIds, labels: Sequence[str] | None) -> list[int]:
    """Return the sorted ids of an item's known categories, or that of items without a category."""
    return sorted(
        ids.labels.index(label) + 1 for label in set(labels or [UNLABELLED]) if label in ids.labels
    )


def group_of_the_bare(ids: SemanticIds) -> np.ndarray:
    """Return the ids of items without content: those from training, else the largest's."""
    if ids.bare:
        return np.full(ids.levels, ids.bare)
    largest = np.bincount(ids.of_item[1:]).argmax()
    return np.asarray(ids.codes[1:][ids.of_item[1:] == largest][0])
