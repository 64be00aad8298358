"""Which semantics a data set gets, and making them (architecture, section 7: default semantics)."""

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
from solidrec.semantics.text import title_vectors
from solidrec.spec import SemanticsSpec

ID = "id"
TEXT = "text"


class Plan(NamedTuple):
    """A method, the modalities it reads, and the reason in words."""

    method: str
    modalities: tuple[str, ...]
    reason: str


def has_titles(data: PreparedData) -> bool:
    """Return whether any item has a title with a letter or a digit in it."""
    return "title" in data.catalog.columns and bool(data.catalog["title"].str.contains(r"[\p{L}\p{N}]").any())


def has_categories(data: PreparedData) -> bool:
    """Return whether any item has a category."""
    return "categories" in data.catalog.columns and bool((data.catalog["categories"].list.len() > 0).any())


def available(data: PreparedData) -> tuple[str, ...]:
    """Return the modalities that a data set has: its feature matrices, ``text`` if it has titles, and ``id``."""
    return (*data.features, *((TEXT,) if has_titles(data) and TEXT not in data.features else ()), ID)


def plan(data: PreparedData, spec: SemanticsSpec) -> Plan:
    """Settle what `spec` leaves open: features, else categories, else titles, else id embeddings.

    Raises `UsageError` for a modality or a method that the data cannot serve.
    """
    for name in spec.modalities:
        if name not in available(data):
            raise UsageError(f"semantics.modalities: {name!r} is not in the data{nearest(name, available(data))}")
    if spec.method == "categories" and not has_categories(data):
        raise UsageError("semantics.method=categories: the prepared items have no categories; prepare them with --items")
    content = spec.modalities or tuple(data.features) or ((TEXT,) if has_titles(data) else (ID,))
    if spec.method == "categories":
        return Plan("categories", content, "asked for")
    if spec.modalities or (spec.method == "kmeans" and not data.features):
        return Plan("kmeans", content, "asked for")
    if data.features:
        return Plan("kmeans", tuple(data.features), f"the data has feature matrices: {', '.join(data.features)}")
    if has_categories(data):
        return Plan("categories", content, "the items have categories and no feature matrix")
    if has_titles(data):
        return Plan("kmeans", (TEXT,), "the items have titles, no feature matrix and no categories")
    return Plan("kmeans", (ID,), "the items have ids alone")


def make(data: PreparedData, spec: SemanticsSpec, item_vectors: Callable[[], np.ndarray], *, device: str = "cpu") -> SemanticIds:
    """Make the semantic ids that `plan` settles on.

    `item_vectors` returns the (V, D) id embeddings of a trained model; it is called only when they are needed.
    """
    chosen = plan(data, spec)
    vectors = {name: modality(data, name, spec, item_vectors) for name in chosen.modalities}
    fused = fuse(list(vectors.values()))
    if chosen.method == "categories":
        primary = nearest_category(fused.vectors, data.catalog["categories"].fill_null([]).to_list())
        groups, centroids, labels = primary.of_item, primary.centroids, primary.labels
    else:
        k = spec.clusters or cluster_count(len(data.items))
        groups, centroids = cluster(fused, k, seed=spec.seed, device=device)
        labels = ()
    of_item = np.concatenate([[0], groups + 1]).astype(np.int64)
    return SemanticIds(of_item, centroids, labels, chosen.method, chosen.modalities, spec.seed, chosen.reason)


def cluster(fused: Fused, k: int, *, seed: int, device: str) -> tuple[np.ndarray, np.ndarray]:
    """Return groups (V,) in 0..S-1 and centroids (S, F) by k-means; items without any modality share one more group."""
    bare = np.asarray(~fused.present.any(axis=1))
    clusters = kmeans(Fused(fused.vectors[~bare], fused.present[~bare]), k, seed=seed, device=device)
    groups = np.full(len(bare), len(clusters.centroids), dtype=np.int64)
    groups[~bare] = clusters.of_vector
    none = np.zeros((int(bare.any()), fused.vectors.shape[1]), dtype=np.float32)
    return groups, np.concatenate([clusters.centroids, none])


def modality(data: PreparedData, name: str, spec: SemanticsSpec, item_vectors: Callable[[], np.ndarray]) -> np.ndarray:
    """Return one modality's (V, F) matrix; an all-zero row says that the item has none."""
    if name in data.features:
        return np.asarray(data.features[name][1:])
    if name == TEXT:
        return title_vectors(data.catalog["title"].to_list(), seed=spec.seed)
    return item_vectors()
