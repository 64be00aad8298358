"""Places of a catalogue's items on a plane: PCA, then t-SNE; of a large catalogue a sample, with the rest beside its nearest."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Floats, Ints
from solidrec.semantics.fuse import Fused

AT_MOST = 5_000
"""Items that t-SNE places itself; it takes about half a minute for so many on one thread."""
_FEWEST = 10
"""Fewer items have no neighbourhoods to be kept."""
_PERPLEXITY = 30
_DIMENSIONS = 50
_NEIGHBOURS = 5
_ISLAND = 0.05
"""What lies as near as this on the map, in widths of it, is one neighbourhood."""
_APART = 0.003
"""How far items that would coincide are moved from each other, in widths of the map."""
_GOLDEN = 2.399963
"""The golden angle, by which one seed of a sunflower is turned from the last."""


class Places(NamedTuple):
    """``xy`` (V, 2), the longer side from 0 to 1, NaN for items without any modality; ``how`` says in words what was done."""

    xy: Floats
    how: str

    @property
    def placed(self) -> npt.NDArray[np.bool_]:
        """Which items (V,) have a place."""
        return np.asarray(~np.isnan(self.xy[:, 0]))


def places(
    fused: Fused, groups: Ints, counts: Ints, *, at_most: int = AT_MOST, seed: int = 0
) -> Places:
    """Return where each item goes, given its semantic id `groups` (V,) and training `counts` (V,).

    Near each other is what has similar vectors (van der Maaten and Hinton, JMLR 2008); t-SNE is given at most `at_most` items,
    drawn by their training counts. One thread, so that the same input gives the same places.
    """
    from threadpoolctl import threadpool_limits

    has = np.flatnonzero(fused.present.any(axis=1))
    with threadpool_limits(1):
        points = _reduced(_filled(fused.rows(has), groups[has]))
        drawn = _sample(counts[has], at_most, seed=seed)
        flat = _plane(points[drawn], seed=seed)
        if len(drawn) < len(has):
            flat = _beside(points, drawn, flat)
    xy = np.full((len(groups), 2), np.nan)
    xy[has] = _framed(_spread(flat))
    return Places(xy, _words(len(has), len(drawn), points.shape[1], fused.vectors.shape[1]))


def _words(placed: int, drawn: int, dimensions: int, width: int) -> str:
    """Say how the places came about."""
    first = (
        f"PCA from {width:,} to {dimensions} dimensions"
        if dimensions < width
        else f"The {width} dimensions as they are"
    )
    if drawn < _FEWEST:
        return f"{first}; the first two are drawn."
    if drawn == placed:
        return f"{first}, then t-SNE of all {placed:,} items."
    return (
        f"{first}, then t-SNE of {drawn:,} items, drawn with chances after their training counts; "
        f"each of the other {placed - drawn:,} lies between its {_NEIGHBOURS} nearest of them."
    )


def _filled(fused: Fused, groups: Ints) -> npt.NDArray[np.float32]:
    """Return the vectors (V, F) with each missing part as the mean part of the semantic id, of the catalogue where it has none.

    Left at zero, a missing part would draw together all items that lack it.
    """
    vectors = fused.vectors.astype(np.float32)
    stops = np.cumsum(fused.widths)
    for part, (start, stop) in enumerate(zip(stops - fused.widths, stops, strict=True)):
        has = fused.present[:, part] > 0
        if has.all() or not has.any():
            continue
        sums, sizes = (
            np.zeros((groups.max() + 1, stop - start)),
            np.bincount(groups[has], minlength=groups.max() + 1),
        )
        np.add.at(sums, groups[has], vectors[has, start:stop])
        mean = np.where(
            sizes[:, None] > 0,
            sums / np.maximum(sizes, 1)[:, None],
            vectors[has, start:stop].mean(0),
        )
        vectors[~has, start:stop] = mean[groups[~has]]
    return vectors


def _reduced(vectors: npt.NDArray[np.float32]) -> Floats:
    """Return the first principal components (V, at most 50)."""
    from sklearn.decomposition import PCA

    dimensions = min(_DIMENSIONS, *vectors.shape)
    if not np.ptp(vectors, axis=0).any():
        return np.zeros((len(vectors), dimensions))  # all alike: nothing to turn
    return np.asarray(
        PCA(dimensions, svd_solver="covariance_eigh").fit_transform(vectors), dtype=np.float64
    )


def _sample(counts: Ints, at_most: int, *, seed: int) -> Ints:
    """Return all items, or `at_most` drawn without replacement with chances after their training counts."""
    if len(counts) <= at_most:
        return np.arange(len(counts))
    weights = counts + 1.0
    return np.sort(
        np.random.default_rng(seed).choice(
            len(counts), at_most, replace=False, p=weights / weights.sum()
        )
    )


def _plane(points: Floats, *, seed: int) -> Floats:
    """Return the points (n, D) on a plane, (n, 2), by t-SNE from the first two components; few or equal ones stay on those."""
    from sklearn.manifold import TSNE

    start = np.pad(points[:, :2], ((0, 0), (0, max(0, 2 - points.shape[1]))))
    if len(points) < _FEWEST or not start.any():
        return start
    start = (1e-4 * start / start[:, 0].std()).astype(np.float32)
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    return np.asarray(
        TSNE(init=start, perplexity=perplexity, random_state=seed).fit_transform(points),
        dtype=np.float64,
    )


def _beside(points: Floats, drawn: Ints, flat: Floats) -> Floats:
    """Return places (V, 2) of all points: those of the drawn ones as they are, the others between their nearest drawn ones.

    Of these only such count as lie near the nearest one on the plane too: the middle of distant islands is empty sea.
    """
    from sklearn.neighbors import NearestNeighbors

    xy = np.full((len(points), 2), np.nan)
    xy[drawn] = flat
    rest = np.flatnonzero(np.isnan(xy[:, 0]))
    search = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(drawn)), algorithm="brute").fit(
        points[drawn]
    )
    apart, nearest = search.kneighbors(points[rest])
    near = flat[nearest]
    together = np.linalg.norm(near - near[:, :1], axis=2) <= _ISLAND * np.ptp(flat)
    weight = together / (apart**2 + 1e-12)
    xy[rest] = (near * weight[:, :, None]).sum(1) / weight.sum(1)[:, None]
    return xy


def _spread(xy: Floats) -> Floats:
    """Move items that coincide apart, in the order of a sunflower's seeds, so that each can be seen."""
    _, group, sizes = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(group.ravel(), kind="stable")
    place = np.empty(len(xy))
    place[order] = np.arange(len(xy)) - np.repeat(
        np.cumsum(sizes) - sizes, sizes
    )  # 0 for the first of its group, it stays
    step = _APART * (np.ptp(xy, axis=0).max() or 1.0)
    return np.asarray(
        xy
        + step
        * np.sqrt(place)[:, None]
        * np.stack([np.cos(_GOLDEN * place), np.sin(_GOLDEN * place)], axis=1)
    )


def _framed(xy: Floats) -> Floats:
    """Return places turned so that they are wider than high, the wider side from 0 to 1."""
    _, axes = np.linalg.eigh(np.cov(xy.T, bias=True))
    axes = (
        axes[:, ::-1] * np.sign(axes[np.abs(axes).argmax(0), [0, 1]])[::-1]
    )  # the sign of an axis is arbitrary: fix it
    turned = (xy - xy.mean(0)) @ axes
    turned -= turned.min(0)
    return np.asarray(turned / (turned.max() or 1.0))
