"""Choice of the semantics for a data set, and making them (architecture, section 7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError, nearest
from solidrec.semantics.categories import nearest_category
from solidrec.semantics.fuse import Fused, fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.kmeans import cluster_count, kmeans
from solidrec.semantics.modality import (
    ID,
    TEXT,
    available,
    has_categories,
    has_titles,
    modality,
    token_columns,
)
from solidrec.spec import SemanticsSpec


class _SemanticPlan(NamedTuple):
    """A method, the modalities that it reads, and the reason in words."""

    method: str
    modalities: tuple[str, ...]
    reason: str


def plan(data: PreparedData, spec: SemanticsSpec) -> _SemanticPlan:
    """Settle what `spec` leaves open.

    The order is features, categories, titles, columns of tokens, id embeddings. Raises `UsageError`
    for a modality or a method that the data cannot serve.
    """
    for name in spec.modalities:
        if spec.modalities.count(name) > 1:
            raise UsageError(
                f"semantics.modalities: {name!r} stands there twice; "
                "name it once, semantics.weights can double it"
            )
        if name not in available(data):
            raise UsageError(
                f"semantics.modalities: {name!r} is not in the data{nearest(name, available(data))}"
            )
    if spec.method == "categories" and not has_categories(data):
        raise UsageError(
            "semantics.method=categories: the prepared items have no categories; "
            "prepare them with --items"
        )
    chosen = _settled(data, spec)
    if spec.levels > 1 and chosen.method != "kmeans":
        raise UsageError(
            "semantics.levels: levels are made by k-means; say semantics.method=kmeans too"
        )
    for name in spec.weights:
        if name not in chosen.modalities:
            raise UsageError(
                f"semantics.weights: {name!r} is not among the modalities used"
                f"{nearest(name, chosen.modalities)}"
            )
    return chosen


def _settled(data: PreparedData, spec: SemanticsSpec) -> _SemanticPlan:
    """Return the plan for a specification that the data can serve."""
    if spec.method == "random":
        return _SemanticPlan("random", (), "a control: dealt at random")
    content = (
        spec.modalities
        or tuple(data.features)
        or ((TEXT,) if has_titles(data) else token_columns(data) or (ID,))
    )
    if spec.method == "categories":
        return _SemanticPlan("categories", content, "asked for")
    if spec.modalities or (spec.method == "kmeans" and not data.features):
        return _SemanticPlan("kmeans", content, "asked for")
    if data.features:
        why = f"the data has feature matrices: {', '.join(data.features)}"
    elif has_categories(data):
        why = "the items have categories and no feature matrix"
        return _SemanticPlan("categories", content, why)
    elif has_titles(data):
        why = "the items have titles, no feature matrix and no categories"
    elif content != (ID,):
        why = (
            f"the items have tokens ({', '.join(content)}), no feature matrix, categories or titles"
        )
    else:
        why = "the items have ids alone"
    return _SemanticPlan("kmeans", content, why)


def make(
    data: PreparedData,
    spec: SemanticsSpec,
    item_vectors: Callable[[], np.ndarray],
    *,
    device: str = "cpu",
) -> SemanticIds:
    """Make the semantic ids that `plan` settles on.

    `item_vectors` returns the (V, D) id embeddings of a trained model; it is called only when they
    are needed.
    """
    chosen = plan(data, spec)
    if chosen.method == "random":
        return dealt(len(data.items), spec, chosen)
    weights = tuple(spec.weights.get(name, 1.0) for name in chosen.modalities)
    parts = [modality(data, name, item_vectors, seed=spec.seed) for name in chosen.modalities]
    fused = fuse(parts, weights)
    if chosen.method == "categories":
        categories = data.catalog["categories"].fill_null([]).to_list()
        primary = nearest_category(fused.vectors, categories)
        groups, centroids, labels = primary.of_item[:, None], primary.centroids, primary.labels
    else:
        k = spec.clusters or max(1, cluster_count(len(data.items)) // spec.levels)
        groups, centroids = cluster(fused, k, levels=spec.levels, seed=spec.seed, device=device)
        labels = ()
    # ids start from 1, after a row of 0 for padding
    codes = np.concatenate([np.zeros((1, spec.levels)), groups + 1]).astype(np.int64)
    absent = ~fused.present.any(axis=1)
    bare = int(codes[1:][absent][0, 0]) if chosen.method == "kmeans" and absent.any() else 0
    return SemanticIds(
        codes,
        centroids,
        labels,
        chosen.method,
        chosen.modalities,
        spec.seed,
        chosen.reason,
        weights if spec.weights else (),
        bare,
    )


def dealt(items: int, spec: SemanticsSpec, chosen: _SemanticPlan) -> SemanticIds:
    """Return random ids of equal size, a control that says nothing about the items."""
    k = spec.clusters or cluster_count(items)
    order = np.random.default_rng(spec.seed).permutation(items)
    codes = np.concatenate([[0], order % k + 1]).astype(np.int64)[:, None]
    return SemanticIds(
        codes,
        np.zeros((min(k, items), 1), dtype=np.float32),
        (),
        chosen.method,
        (),
        spec.seed,
        chosen.reason,
    )


def cluster(
    fused: Fused, k: int, *, levels: int, seed: int, device: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return groups (V, levels) in 0..S-1 and centroids (S, F) by k-means, at most `k` a level.

    Every level after the first clusters the residuals of those before (residual semantic ids: Lee
    et al., CVPR 2022, and Rajput et al., NeurIPS 2023). Items without any modality share one more
    group, the same in every level.
    """
    bare = np.asarray(~fused.present.any(axis=1))
    left = fused.rows(~bare)
    none = np.zeros((int(bare.any()), fused.vectors.shape[1]), dtype=np.float32)
    groups = np.zeros((len(bare), levels), dtype=np.int64)
    centroids = np.zeros((0, fused.vectors.shape[1]), dtype=np.float32)
    for level in range(levels):
        found = kmeans(left, k, seed=seed + level, device=device)
        groups[~bare, level] = found.of_vector + len(centroids)  # no two levels share an id
        left = left.less(found.centroids[found.of_vector])
        centroids = np.concatenate([centroids, found.centroids, *([none] if level == 0 else [])])
    if len(none):
        groups[bare] = groups[~bare, 0].max() + 1
    return groups, centroids
