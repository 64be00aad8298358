"""k-means (Eq. 7) for vectors with missing parts: k-means++ start, Lloyd steps, no empty cluster.

A large set is clustered on a sample first, which doubles until it is the whole set (nested
mini-batches, after Newling and Fleuret, NIPS 2016), so that the steps over everything start near
the end.
"""

from __future__ import annotations

import hashlib
import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from solidrec.semantics.fuse import Fused

_CELLS = 1 << 22  # vector-to-centroid products at a time, 16 MB
_SMALL = 20_000  # most vectors that are clustered as a whole, until nothing moves
_PER_CLUSTER = 20  # vectors per cluster in the first sample, if that is more
_SAMPLED_ITERATIONS = 10
_TOLERANCE = 1e-4  # of the inertia, where a sample is used


class _Clusters(NamedTuple):
    """Clusters ``of_vector`` (V,) in 0..k-1, ``centroids`` (k, F), summed squares ``inertia``."""

    of_vector: np.ndarray
    centroids: np.ndarray
    inertia: float


class _Points(NamedTuple):
    """Data to cluster: ``vectors`` (V, F), ``present`` (V, M), and squared lengths ``own`` (V,)."""

    vectors: Float[Tensor, "V F"]
    present: Float[Tensor, "V M"]
    own: Float[Tensor, " V"]
    widths: tuple[int, ...]

    def first(self, count: int) -> _Points:
        """Return the first `count` points."""
        return _Points(self.vectors[:count], self.present[:count], self.own[:count], self.widths)


def cluster_count(items: int) -> int:
    """Return the default k: 6 sqrt(V), at most V / 4 (474, 582, 778 for 6,250, 9,416, 16,800).

    >>> cluster_count(1585), cluster_count(6250), cluster_count(8)
    (239, 474, 2)
    """
    return max(1, min(round(6 * math.sqrt(items)), items // 4))


def kmeans(
    fused: Fused, k: int, *, seed: int = 0, iterations: int = 50, device: str = "cpu"
) -> _Clusters:
    """Cluster the V vectors into at most `k` groups; fewer when there are fewer distinct vectors.

    The distance of an item to a centroid counts the parts that the item has. More than 20,000
    vectors are clustered on samples first, and until the inertia gains less than .01 %.
    """
    k = min(k, _distinct(fused.vectors))
    generator = torch.Generator().manual_seed(seed)
    sizes = samples(len(fused.vectors), k)
    order = torch.randperm(len(fused.vectors), generator=generator) if len(sizes) > 1 else None
    points = points_of(fused, order, device)
    centroids = plus_plus(points.first(sizes[0]), k, generator=generator)
    tolerance = _TOLERANCE if len(sizes) > 1 else 0.0
    for size in sizes[:-1]:
        some = points.first(size)
        centroids, _, _ = _lloyd(
            some, centroids, iterations=_SAMPLED_ITERATIONS, tolerance=tolerance
        )
    centroids, labels, apart = _lloyd(points, centroids, iterations=iterations, tolerance=tolerance)
    # different vectors at a distance of 0 from each other leave some centroids unused
    used, labels = torch.unique(labels, return_inverse=True)
    of_vector = labels.cpu()
    if order is not None:
        of_vector = torch.empty_like(order).index_copy_(0, order, of_vector)
    return _Clusters(of_vector.numpy(), centroids[used].cpu().numpy(), float(apart.double().sum()))


def _distinct(vectors: np.ndarray) -> int:
    """Return the number of different rows, by their hashes."""
    # -0 + 0 is 0, which has other bytes than -0
    return len({hashlib.blake2b((row + 0).tobytes(), digest_size=16).digest() for row in vectors})


def samples(count: int, k: int) -> list[int]:
    """Return the sizes of the sets to cluster in turn, the last one all `count`.

    >>> samples(5_000, 100), samples(100_000, 100), samples(100_000, 2_000)
    ([5000], [20000, 40000, 100000], [40000, 100000])
    """
    sizes = []
    size = max(_SMALL, _PER_CLUSTER * k)
    while 2 * size <= count:
        sizes.append(size)
        size *= 2
    return [*sizes, count]


def points_of(fused: Fused, order: Tensor | None, device: str) -> _Points:
    """Return the vectors as tensors, in `order` if it is given."""
    vectors, present = torch.from_numpy(fused.vectors), torch.from_numpy(fused.present)
    if order is not None:
        vectors, present = vectors[order], present[order]
    vectors = vectors.to(device)
    own = torch.linalg.vector_norm(vectors, dim=1).square()
    return _Points(vectors, present.to(device), own, fused.widths)


def _lloyd(
    points: _Points, centroids: Float[Tensor, "k F"], *, iterations: int, tolerance: float
) -> tuple[Float[Tensor, "k F"], Int[Tensor, " V"], Float[Tensor, " V"]]:
    """Move centroids to the means of their vectors until nothing changes.

    Returns the centroids, and labels and squared distances of the vectors as `assign` does.
    """
    labels, apart = assign(points, centroids)
    for _ in range(iterations):
        centroids = _means(points, labels, centroids)
        centroids, filled = fill_empty(points, labels, apart, centroids)
        before, inertia = labels, apart.double().sum()
        labels, apart = assign(points, centroids)
        if not filled and (
            torch.equal(before, labels) or inertia - apart.double().sum() < tolerance * inertia
        ):
            break
    return centroids, labels, apart


def _closeness(
    points: _Points, centroids: Float[Tensor, "k F"]
) -> tuple[Float[Tensor, "F k"], Float[Tensor, "M k"]]:
    """Return the factors of vectors and presence for x.c - |c on the parts that x has|^2 / 2."""
    lengths = torch.stack([part.square().sum(1) for part in centroids.split(points.widths, dim=1)])
    return centroids.T, -0.5 * lengths


def distances(points: _Points, centroids: Float[Tensor, "k F"]) -> Float[Tensor, "V k"]:
    """Return squared distances over the parts that each vector has."""
    turned, offset = _closeness(points, centroids)
    close = torch.addmm(points.present @ offset, points.vectors, turned)
    return (points.own[:, None] - 2 * close).clamp(min=0)


def assign(
    points: _Points, centroids: Float[Tensor, "k F"]
) -> tuple[Int[Tensor, " V"], Float[Tensor, " V"]]:
    """Return each vector's nearest centroid and squared distance, in chunks of bounded memory."""
    turned, offset = _closeness(points, centroids)
    rows = max(1, _CELLS // len(centroids))
    found = [
        torch.addmm(present @ offset, vectors, turned).max(1)
        for vectors, present in zip(
            points.vectors.split(rows), points.present.split(rows), strict=True
        )
    ]
    labels = torch.cat([part.indices for part in found])
    close = torch.cat([part.values for part in found])
    return labels, (points.own - 2 * close).clamp(min=0)


def plus_plus(points: _Points, k: int, *, generator: torch.Generator) -> Float[Tensor, "k F"]:
    """Draw k start centroids, each with a chance by its distance to those before (k-means++).

    Chances are proportional to the squared distance per value that is present. Of a few draws the
    one that leaves the least distance is kept (greedy k-means++, as in scikit-learn): 4 % less
    inertia than one draw on text and image vectors.
    """
    vectors = points.vectors
    draws = 2 + int(math.log(k))
    size = points.present @ torch.tensor(points.widths, dtype=vectors.dtype, device=vectors.device)
    size = size.clamp(min=1)  # values that each vector has
    chosen = [int(torch.randint(len(vectors), (1,), generator=generator))]
    apart = distances(points, vectors[chosen])[:, 0] / size
    for _ in range(1, k):
        chance = apart.double().cpu()
        chance[chosen] = 0  # rounding may leave a distance to itself
        if not bool(chance.sum() > 0):  # all others lie on a centroid: draw uniformly
            chance = torch.ones(len(vectors), dtype=torch.float64)
            chance[chosen] = 0
        picks = torch.multinomial(chance, draws, replacement=True, generator=generator)
        picks = picks.to(vectors.device)
        # distances (V, draws) that would be left with each of the draws as a centroid
        left = torch.minimum(apart[:, None], distances(points, vectors[picks]) / size[:, None])
        best = int(left.sum(0).argmin())
        chosen.append(int(picks[best]))
        apart = left[:, best]
    return vectors[chosen]


def _means(
    points: _Points, labels: Int[Tensor, " V"], old: Float[Tensor, "k F"]
) -> Float[Tensor, "k F"]:
    """Return each cluster's mean over the members that have the part, the old value without any."""
    sums = torch.zeros_like(old).index_add_(0, labels, points.vectors)
    counts = old.new_zeros(len(old), points.present.shape[1]).index_add_(0, labels, points.present)
    # the counts (k, M) of parts, repeated for each value of a part
    each = counts.repeat_interleave(torch.tensor(points.widths, device=old.device), dim=1)
    return torch.where(each > 0, sums / each.clamp(min=1), old)


def fill_empty(
    points: _Points,
    labels: Int[Tensor, " V"],
    apart: Float[Tensor, " V"],
    centroids: Float[Tensor, "k F"],
) -> tuple[Float[Tensor, "k F"], int]:
    """Move each empty cluster onto one of the vectors farthest from their centroids.

    Returns the centroids and how many were moved.
    """
    empty = torch.bincount(labels, minlength=len(centroids)) == 0
    count = int(empty.sum())
    if count:
        centroids = centroids.clone()
        centroids[empty] = points.vectors[apart.topk(count).indices]
    return centroids, count
