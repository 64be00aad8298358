"""Places of a catalogue's items on a plane by PCA and t-SNE; large catalogues are sampled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Floats, Ints
from solidrec.semantics.fuse import Fused

AT_MOST = 5_000
"""Maximum number of items for t-SNE, which takes about half a minute for them on one thread."""
_FEWEST = 10
"""Minimum number of items for t-SNE; fewer have no neighbourhoods to keep."""
_PERPLEXITY = 30
_DIMENSIONS = 50
_NEIGHBOURS = 5
_ISLAND = 0.05
"""Largest distance within a neighbourhood on the map, in widths of the map."""
_APART = 0.003
"""Distance between items that would coincide, in widths of the map."""
_GOLDEN = 2.399963
"""The golden angle between one seed of a sunflower and the next, in radians."""


class Places(NamedTuple):
    """Places ``xy`` (V, 2), with the longer side from 0 to 1, and ``how`` they were made.

    Items without any modality are NaN.
    """

    xy: Floats
    how: str

    @property
    def placed(self) -> npt.NDArray[np.bool_]:
        """Whether each item (V,) has a place."""
        return np.asarray(~np.isnan(self.xy[:, 0]))


def places(
    fused: Fused, groups: Ints, counts: Ints, *, at_most: int = AT_MOST, seed: int = 0
) -> Places:
    """Return the place of each item, given semantic ids `groups` (V,) and training `counts` (V,).

    Items with similar vectors lie near each other (van der Maaten and Hinton, JMLR 2008). At most
    `at_most` items, drawn by their training counts, go into t-SNE, on one thread so that the same
    input gives the same places.
    """
    from threadpoolctl import threadpool_limits

    has = np.flatnonzero(fused.present.any(axis=1))  # items with at least one modality
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
    """Say how the places were made."""
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
    """Return the vectors (V, F) with each missing part as the mean part of its semantic id.

    If no item of the semantic id has the part, the mean of the catalogue stands in. Parts left at
    zero would draw together all items that lack them.
    """
    vectors = fused.vectors.astype(np.float32)
    # Part m of a vector spans the columns from start to stop.
    stops = np.cumsum(fused.widths)
    for part, (start, stop) in enumerate(zip(stops - fused.widths, stops, strict=True)):
        has = fused.present[:, part] > 0
        if has.all() or not has.any():
            continue
        # sum of the part and number of items with it, for each semantic id
        sums = np.zeros((groups.max() + 1, stop - start))
        np.add.at(sums, groups[has], vectors[has, start:stop])
        sizes = np.bincount(groups[has], minlength=len(sums))
        mean = sums / np.maximum(sizes, 1)[:, None]
        mean[sizes == 0] = vectors[has, start:stop].mean(0)
        vectors[~has, start:stop] = mean[groups[~has]]
    return vectors


def _reduced(vectors: npt.NDArray[np.float32]) -> Floats:
    """Return the first principal components (V, at most 50)."""
    from sklearn.decomposition import PCA

    dimensions = min(_DIMENSIONS, *vectors.shape)
    if not np.ptp(vectors, axis=0).any():
        return np.zeros((len(vectors), dimensions))  # equal vectors have no components
    made = PCA(dimensions, svd_solver="covariance_eigh").fit_transform(vectors)
    return np.asarray(made, dtype=np.float64)


def _sample(counts: Ints, at_most: int, *, seed: int) -> Ints:
    """Return all indices, or `at_most` drawn by training counts without replacement."""
    if len(counts) <= at_most:
        return np.arange(len(counts))
    weights = counts + 1.0  # gives items that were never trained a chance
    rng, chances = np.random.default_rng(seed), weights / weights.sum()
    return np.sort(rng.choice(len(counts), at_most, replace=False, p=chances))


def _plane(points: Floats, *, seed: int) -> Floats:
    """Return the points (n, D) on a plane, (n, 2), by t-SNE from the first two components.

    Few or equal points keep these two components.
    """
    from sklearn.manifold import TSNE

    # the first two components, filled up with zeros if there are fewer
    start = np.pad(points[:, :2], ((0, 0), (0, max(0, 2 - points.shape[1]))))
    if len(points) < _FEWEST or not start[:, 0].std():
        return start
    # scaled to a standard deviation of 1e-4, as scikit-learn does for a start by PCA
    start = (1e-4 * start / start[:, 0].std()).astype(np.float32)
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    made = TSNE(init=start, perplexity=perplexity, random_state=seed).fit_transform(points)
    return np.asarray(made, dtype=np.float64)


def _beside(points: Floats, drawn: Ints, flat: Floats) -> Floats:
    """Return places (V, 2) of all points: the drawn ones at `flat`, the others between those.

    A point lies at the weighted mean of its nearest drawn points. Of these only the ones close to
    the nearest on the plane count, since the middle between distant islands is empty.
    """
    from sklearn.neighbors import NearestNeighbors

    xy = np.full((len(points), 2), np.nan)
    xy[drawn] = flat
    # the nearest drawn points (rest, k) of each other point, and where they lie on the plane
    rest = np.flatnonzero(np.isnan(xy[:, 0]))
    search = NearestNeighbors(n_neighbors=min(_NEIGHBOURS, len(drawn)), algorithm="brute")
    apart, nearest = search.fit(points[drawn]).kneighbors(points[rest])
    near = flat[nearest]
    # weights by inverse squared distance, 0 for points on another island than the nearest
    together = np.linalg.norm(near - near[:, :1], axis=2) <= _ISLAND * np.ptp(flat)
    weight = together / (apart**2 + 1e-12)
    xy[rest] = (near * weight[:, :, None]).sum(1) / weight.sum(1)[:, None]
    return xy


def _spread(xy: Floats) -> Floats:
    """Move coinciding items apart, like the seeds of a sunflower, so that each can be seen."""
    _, group, sizes = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(group.ravel(), kind="stable")
    # rank of each item among those that coincide with it; 0 stays where it is
    place = np.empty(len(xy))
    place[order] = np.arange(len(xy)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    # seed k of a sunflower lies at radius sqrt(k) and angle k times the golden angle
    step = _APART * (np.ptp(xy, axis=0).max() or 1.0)
    turn = np.stack([np.cos(_GOLDEN * place), np.sin(_GOLDEN * place)], axis=1)
    return np.asarray(xy + step * np.sqrt(place)[:, None] * turn)


def _framed(xy: Floats) -> Floats:
    """Return places turned so that they are wider than high, the wider side from 0 to 1."""
    # principal axes, the longer first; the arbitrary signs make their largest entries positive
    _, axes = np.linalg.eigh(np.cov(xy.T, bias=True))
    axes = axes[:, ::-1] * np.sign(axes[np.abs(axes).argmax(0), [0, 1]])[::-1]
    turned = (xy - xy.mean(0)) @ axes
    turned -= turned.min(0)
    return np.asarray(turned / (turned.max() or 1.0))
