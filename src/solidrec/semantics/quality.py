"""Quality of semantic ids in numbers: evenness, agreement with categories, and stability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.semantics.fuse import fuse
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.make_ids import cluster

_COMMON = 0.5
"""Share of items beyond which a label says nothing about an item."""
_Labels = npt.NDArray[np.int64]


class Purity(NamedTuple):
    """Share of items with the commonest label of their semantic id, and that of shuffled items."""

    value: float
    chance: float


def quality(
    ids: SemanticIds,
    matrices: Mapping[str, np.ndarray],
    categories: Sequence[Sequence[str] | None] | None = None,
    *,
    seeds: int = 3,
    device: str = "cpu",
) -> dict[str, Any]:
    """Return numbers about ids made of the `matrices` (name -> (V, F), zero rows missing).

    They are plain values: ``sizes`` of the ids · ``entropy_share`` · ``purity`` against categories
    beside its chance value · ``agreement``: adjusted mutual information (1 same, 0 chance) of the
    ids made from single modalities, pair by pair · ``stability``: the same between ids of `seeds`
    seeds (k-means only).
    """
    sizes = np.bincount(ids.of_item[1:], minlength=ids.count + 1)[1:]
    named = None if categories is None else _purity(ids.of_item[1:], categories)
    stable = None
    if ids.method == "kmeans":
        stable = _stability(ids, matrices, seeds=seeds, device=device)
    return {
        "sizes": {
            "smallest": int(sizes.min()),
            "median": float(np.median(sizes)),
            "largest": int(sizes.max()),
            "alone": int((sizes == 1).sum()),
        },
        "entropy_share": ids.facts()["entropy_share"],
        "purity": None if named is None else named._asdict(),
        "agreement": _agreement(matrices, ids.count, seed=ids.seed, device=device),
        "stability": stable,
    }


def _purity(
    groups: _Labels, categories: Sequence[Sequence[str] | None], *, seed: int = 0
) -> Purity | None:
    """Return how pure `groups` (V,) are; None if no item has a telling label.

    A label that more than half of the labelled items have is left out.

    >>> _purity(np.array([1, 1, 2, 2]), [["a"], ["a"], ["b"], ["c"]])
    Purity(value=0.75, chance=0.5)
    """
    labelled = np.array([bool(labels) for labels in categories])
    counts = Counter(label for labels in categories for label in set(labels or ()))
    telling = {label for label, count in counts.items() if count <= _COMMON * labelled.sum()}
    own = [telling.intersection(labels or ()) for labels in categories]
    some = np.flatnonzero([bool(labels) for labels in own])
    if not len(some):
        return None
    named = [own[item] for item in some]
    shuffled = np.random.default_rng(seed).permutation(groups[some])
    return Purity(_majority(groups[some], named), _majority(shuffled, named))


def _majority(groups: _Labels, labels: Sequence[set[str]]) -> float:
    """Return the share of items that have the most common label of their group."""
    members: dict[int, Counter[str]] = {}
    for group, own in zip(groups.tolist(), labels, strict=True):
        members.setdefault(group, Counter()).update(own)
    return sum(max(counter.values()) for counter in members.values()) / len(labels)


def _agreement(
    matrices: Mapping[str, np.ndarray], k: int, *, seed: int = 0, device: str = "cpu"
) -> dict[str, float]:
    """Return the adjusted mutual information of the ids of every two modalities."""
    maps = {
        name: _alone(matrix, k, seed=seed, device=device)
        for name, matrix in matrices.items()
        if matrix.any()
    }
    shared = [(a, b) for a, b in combinations(maps, 2) if ((maps[a] >= 0) & (maps[b] >= 0)).any()]
    return {f"{a}, {b}": _mutual_information(maps[a], maps[b]) for a, b in shared}


def _alone(matrix: np.ndarray, k: int, *, seed: int, device: str) -> _Labels:
    """Return the groups (V,) made from one modality, -1 where it is missing."""
    groups, _ = cluster(fuse([matrix]), k, levels=1, seed=seed, device=device)
    return np.where(matrix.any(axis=1), groups[:, 0], -1)


def _stability(
    ids: SemanticIds, matrices: Mapping[str, np.ndarray], *, seeds: int, device: str = "cpu"
) -> float | None:
    """Return the mean adjusted mutual information between the ids of seeds, None for one seed."""
    fused = fuse([matrices[name] for name in ids.modalities], ids.weights or None)
    maps = [ids.of_item[1:] - 1]
    for seed in range(ids.seed + 1, ids.seed + seeds):
        groups, _ = cluster(fused, ids.count, levels=1, seed=seed, device=device)
        maps.append(groups[:, 0])
    pairs = [_mutual_information(a, b) for a, b in combinations(maps, 2)]
    return float(np.mean(pairs)) if pairs else None


def _mutual_information(a: _Labels, b: _Labels) -> float:
    """Return adjusted mutual information over the items in both (Vinh et al., JMLR 2010)."""
    from sklearn.metrics import adjusted_mutual_info_score

    both = (a >= 0) & (b >= 0)
    return float(adjusted_mutual_info_score(a[both], b[both]))


def drivers(ids: SemanticIds, matrices: Mapping[str, np.ndarray]) -> list[str | None]:
    """Return the modality that holds each first-level semantic id together; None for a single item.

    It is the one whose squared distances to their mean shrink most inside the semantic id, against
    those in the whole catalogue.
    """
    names = [name for name in ids.modalities if matrices[name].any()]
    kept = np.stack([_spread_kept(fuse([matrices[name]]).vectors, ids) for name in names])
    best = np.where(np.isnan(kept), np.inf, kept).argmin(0)
    unknown = np.asarray(np.isnan(kept).all(0))
    return [None if unknown[group] else names[best[group]] for group in range(ids.count)]


def _spread_kept(vectors: np.ndarray, ids: SemanticIds) -> npt.NDArray[np.float64]:
    """Return (count,) mean squared distances to the mean in each id, relative to the catalogue's.

    Items with a zero row do not count; NaN for ids with fewer than two others.
    """
    has = vectors.any(axis=1)
    group, some = ids.of_item[1:][has] - 1, vectors[has].astype(np.float64)
    sizes = np.bincount(group, minlength=ids.count)
    sums = np.zeros((ids.count, vectors.shape[1]))
    np.add.at(sums, group, some)
    squares = np.bincount(group, (some**2).sum(1), minlength=ids.count)
    # sum of squared distances to the mean: sum |x|^2 - |sum x|^2 / n
    inside = squares - (sums**2).sum(1) / np.maximum(sizes, 1)
    total = (some**2).sum() - (some.sum(0) ** 2).sum() / len(some)
    mean = total / max(len(some) - 1, 1)
    return np.where(sizes > 1, inside / np.maximum(sizes - 1, 1) / max(mean, 1e-12), np.nan)
