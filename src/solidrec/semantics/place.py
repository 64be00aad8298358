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

    With method *categories* an item's own known categories are compared, if there are any. An item
    without any modality that the ids were made of gets the id of such items, or else the largest.
    Random ids are drawn uniformly.
    """
    if ids.method == "random":
        return np.random.default_rng(ids.seed).integers(1, ids.count + 1, size=(len(categories), 1))
    fused = _parts_of(ids, matrices, len(categories))
    codes = np.zeros((len(categories), ids.levels), dtype=np.int64)
    left, own = fused, categories if ids.method == "categories" else None
    for level in range(ids.levels):
        codes[:, level] = _nearest(ids, level, left, own)
        left = left.less(ids.centroids[codes[:, level] - 1])
    bare = ~fused.present.any(axis=1)
    if ids.method == "categories":  # with a known category, an item is not bare
        bare &= np.array([not _numbers(ids, labels) for labels in categories], dtype=bool)
    if bare.any():
        codes[bare] = group_of_the_bare(ids)
    return codes


def _parts_of(ids: SemanticIds, matrices: Mapping[str, np.ndarray], count: int) -> Fused:
    """Return the content in the form of the centroids; new items have no id embedding."""
    known = sum(matrices[name].shape[1] for name in ids.modalities if name != ID)
    blank = np.zeros((count, ids.centroids.shape[1] - known), dtype=np.float32)
    parts = [blank if name == ID else matrices[name] for name in ids.modalities]
    return side_by_side(parts, ids.weights or None)


def _nearest(
    ids: SemanticIds, level: int, fused: Fused, categories: Sequence[Sequence[str] | None] | None
) -> np.ndarray:
    """Return each item's nearest id of a level, among those that it may have."""
    own = np.setdiff1d(ids.codes[1:, level], [ids.bare])  # the ids of the level
    points = points_of(fused, None, "cpu")
    labels, _ = assign(points, torch.from_numpy(ids.centroids[own - 1]))
    found = own[labels.numpy()]
    for row, own_labels in enumerate(categories or ()):
        mine = np.array(_numbers(ids, own_labels), dtype=np.int64)
        if len(mine):
            points = points_of(fused.rows(np.array([row])), None, "cpu")
            best, _ = assign(points, torch.from_numpy(ids.centroids[mine - 1]))
            found[row] = mine[int(best)]
    return np.asarray(found)


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
