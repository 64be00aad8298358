"""Items that nobody has clicked yet: an embedding and semantic ids from content alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import numpy.typing as npt
import torch

from solidrec.semantics.categories import UNLABELLED
from solidrec.semantics.content import Content, side_by_side
from solidrec.semantics.fuse import Fused, fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import assign, points_of
from solidrec.semantics.modality import ID

ALPHAS = np.logspace(-1, 4, 16)
MOST = 50_000  # items that the map is fitted on, at most
FEWEST = 20  # and at least: fewer teach nothing, and everything new gets the mean embedding
FOLDS = 5
SHOWN = 10  # places of a list in which new items are to take their share
RANKED = 5_000  # items among which that is measured, at most
Floats = npt.NDArray[np.float64]


@final
@dataclass(frozen=True)
class ColdStart:
    """A ridge regression from content vectors to learned item embeddings, stretched until new items are shown their share.

    ``weight`` (F, D), ``bias`` (D,), ``base`` (D,): the mean embedding, for items without content. ``facts``: the penalty
    ``alpha`` chosen by leave-one-out, the ``items`` it was fitted on, ``r2``, the share of the embeddings' variance that it
    explains in items left out, and ``stretch``.
    """

    content: Content
    weight: Floats
    bias: Floats
    base: Floats
    facts: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """Return everything but the arrays, as plain values."""
        return {"parts": self.content.facts(), "facts": self.facts}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to keep."""
        return self.content.arrays() | {"map.weight": self.weight, "map.bias": self.bias, "map.base": self.base}

    @classmethod
    def of(cls, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Build what `plain` and `arrays` describe."""
        content = Content.of(plain["parts"], arrays)
        return cls(content, arrays["map.weight"], arrays["map.bias"], arrays["map.base"], plain["facts"])

    def embed(self, matrices: Mapping[str, np.ndarray]) -> npt.NDArray[np.float32]:
        """Return (n, D) embeddings of items by their content; those without any get the mean embedding."""
        fused = side_by_side(matrices)
        has = fused.present.any(axis=1, keepdims=True)
        return np.where(has, fused.vectors @ self.weight + self.bias, self.base).astype(np.float32)


def fit_cold(
    content: Content,
    matrices: Mapping[str, np.ndarray],
    embeddings: np.ndarray,
    counts: np.ndarray,
    *,
    users: np.ndarray | None = None,
    seed: int = 0,
) -> ColdStart:
    """Fit the map on the items that training knew: `embeddings` (V, D), seen `counts` (V,) times.

    An item weighs as often as it was seen, up to the median of those seen: what was seen once has hardly moved. A regression
    shrinks what it predicts, so that new items would never be among the first; `users` (B, D), vectors that meet items in a dot
    product, say by how much to stretch it (`stretch`). Without them it gets the spread of the learned embeddings.
    """
    from sklearn.linear_model import Ridge, RidgeCV
    from sklearn.model_selection import KFold, cross_val_predict

    has = np.any([matrix.any(axis=1) for matrix in matrices.values()], axis=0)
    known = np.random.default_rng(seed).permutation(np.flatnonzero((counts > 0) & has))[:MOST]
    base = (embeddings[counts > 0] if (counts > 0).any() else embeddings).mean(0).astype(np.float64)
    if len(known) < FEWEST:
        nothing = np.zeros((sum(content.widths), len(base)))
        return ColdStart(content, nothing, base, base.copy(), {"items": len(known), "r2": 0.0})
    vectors = side_by_side({name: matrix[known] for name, matrix in matrices.items()}).vectors.astype(np.float64)
    targets, weights = embeddings[known].astype(np.float64), np.minimum(counts[known], np.median(counts[known]))
    found = RidgeCV(alphas=ALPHAS).fit(vectors, targets, sample_weight=weights)
    folds = KFold(FOLDS)
    again = Ridge(alpha=found.alpha_)
    left_out = cross_val_predict(again, vectors, targets, cv=folds, params={"sample_weight": weights})
    by = spread(targets, left_out) if users is None else stretch(targets[:RANKED], left_out[:RANKED], base, users)
    facts = {"items": len(known), "alpha": float(found.alpha_), "r2": r2(targets, left_out, weights), "stretch": by}
    return ColdStart(content, by * found.coef_.T, base + by * (found.intercept_ - base), base, facts)


def r2(targets: Floats, found: Floats, weights: np.ndarray) -> float:
    """Return the share of the targets' weighted variance that is explained."""
    mean = np.average(targets, axis=0, weights=weights)
    errors, all_of_it = (np.average((targets - other) ** 2, axis=0, weights=weights).sum() for other in (found, mean))
    return float(1 - errors / max(all_of_it, 1e-12))


def spread(targets: Floats, found: Floats) -> float:
    """Return by how much predictions are to be stretched to vary as much as the embeddings do."""
    return float(np.sqrt(targets.var(0).sum() / max(found.var(0).sum(), 1e-12)))


def stretch(targets: Floats, found: Floats, base: Floats, users: np.ndarray, *, steps: int = 12) -> float:
    """Return by how much predictions are to be stretched away from `base` so that new items are neither hidden nor everywhere.

    Each of five parts of the items (n, D) is taken as new in turn: it has the embeddings `found` without it, the others their
    `targets`. At the answer, by bisection in 1..8, the new ones take a fifth of the first ten places of `users`.
    """
    low, high = 1.0, 8.0
    learned = users @ targets.T
    level, predicted = users @ base, users @ (found - base).T
    for _ in range(steps):
        middle = (low * high) ** 0.5
        shares = []
        for part in np.array_split(np.arange(len(targets)), FOLDS):
            scores = learned.copy()
            scores[:, part] = level[:, None] + middle * predicted[:, part]
            first = np.argpartition(-scores, SHOWN, axis=1)[:, :SHOWN]
            shares.append(np.isin(first, part).mean())
        low, high = (middle, high) if np.mean(shares) < 1 / FOLDS else (low, middle)
    return float((low * high) ** 0.5)


def place(ids: SemanticIds, matrices: Mapping[str, np.ndarray], categories: Sequence[Sequence[str] | None]) -> np.ndarray:
    """Return (n, levels) semantic ids of new items: the nearest centroids, among an item's own categories if it has known ones.

    An item without any modality that the ids were made of gets the id of such items, or the largest. Random ids are dealt on.
    """
    if ids.method == "random":
        return np.random.default_rng(ids.seed).integers(1, ids.count + 1, size=(len(categories), 1))
    fused = parts_of(ids, matrices, len(categories))
    codes = np.zeros((len(categories), ids.levels), dtype=np.int64)
    left = fused
    for level in range(ids.levels):
        codes[:, level] = nearest(ids, level, left, categories if ids.method == "categories" else None)
        here = np.repeat(left.present, left.widths, axis=1)
        left = left._replace(vectors=left.vectors - here * ids.centroids[codes[:, level] - 1])
    bare = ~fused.present.any(axis=1)
    if ids.method == "categories":  # a known category is enough
        bare &= np.array([not numbers(ids, labels) for labels in categories], dtype=bool)
    if bare.any():
        codes[bare] = group_of_the_bare(ids)
    return codes


def parts_of(ids: SemanticIds, matrices: Mapping[str, np.ndarray], count: int) -> Fused:
    """Return the content in the form that the centroids have; what a new item cannot have (its id's embedding) is missing."""
    known = sum(matrices[name].shape[1] for name in ids.modalities if name != ID)
    blank = np.zeros((count, ids.centroids.shape[1] - known), dtype=np.float32)
    blocks = {name: blank if name == ID else matrices[name] for name in ids.modalities}
    if any(block.any() for block in blocks.values()):
        return fuse(list(blocks.values()), ids.weights or None)
    return side_by_side(blocks)


def nearest(ids: SemanticIds, level: int, fused: Fused, categories: Sequence[Sequence[str] | None] | None) -> np.ndarray:
    """Return each item's nearest id of a level, of those that it may have."""
    own = np.unique(ids.codes[1:, level])
    own = own[ids.centroids[own - 1].any(axis=1)]
    points = points_of(fused, None, "cpu")
    labels, _ = assign(points, torch.from_numpy(ids.centroids[own - 1]))
    found = own[labels.numpy()]
    if categories is not None:
        for row, own_labels in enumerate(categories):
            mine = np.array(numbers(ids, own_labels), dtype=np.int64)
            if len(mine):
                best, _ = assign(points_of(fused.rows(np.array([row])), None, "cpu"), torch.from_numpy(ids.centroids[mine - 1]))
                found[row] = mine[int(best)]
    return np.asarray(found)


def numbers(ids: SemanticIds, labels: Sequence[str] | None) -> list[int]:
    """Return the ids of an item's categories that are known, in order; without categories that of such items, if there is one."""
    return sorted(ids.labels.index(label) + 1 for label in set(labels or [UNLABELLED]) if label in ids.labels)


def group_of_the_bare(ids: SemanticIds) -> np.ndarray:
    """Return the ids of items about which nothing is known: those that such items got in training, else the largest's."""
    bare = np.flatnonzero(~ids.centroids.any(axis=1)) + 1
    if len(bare):
        return np.full(ids.levels, bare[0])
    largest = np.bincount(ids.of_item[1:]).argmax()
    return np.asarray(ids.codes[1:][ids.of_item[1:] == largest][0])
