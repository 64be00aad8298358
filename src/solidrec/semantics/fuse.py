"""Fusion of feature matrices side by side, weighted, with a mask of the modalities an item has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from solidrec.arrays import Floats32
from solidrec.errors import DataError

_SAFE = 50
"""Powers of two, up and down, between which squares in float32 neither overflow nor vanish."""


class Fused(NamedTuple):
    """Vectors (V, F) of M parts and the mask ``present`` (V, M) of the parts that an item has.

    Part m is `widths[m]` wide. Its length is sqrt(its weight), or zero where the item lacks the
    part.
    """

    vectors: np.ndarray
    present: np.ndarray
    widths: tuple[int, ...]

    def rows(self, chosen: np.ndarray) -> Fused:
        """Return the chosen rows (a mask or indices)."""
        return self._replace(vectors=self.vectors[chosen], present=self.present[chosen])

    def less(self, centroids: np.ndarray) -> Fused:
        """Return each vector minus its centroid (V, F), in the parts that it has."""
        own = np.repeat(self.present, self.widths, axis=1) * centroids
        return self._replace(vectors=self.vectors - own)


def fuse(matrices: Sequence[np.ndarray], weights: Sequence[float] | None = None) -> Fused:
    """Return `side_by_side`; raises `DataError` when no item has any modality.

    >>> matrices = [np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[2.0], [5.0]])]
    >>> fuse(matrices, [1, 4]).vectors.tolist()
    [[0.6000000238418579, 0.800000011920929, 2.0], [0.0, 0.0, 2.0]]
    """
    fused = side_by_side(matrices, weights)
    if not fused.present.any():
        raise DataError(
            "the features are zero for every item, so nothing can be clustered; "
            "check the feature files"
        )
    return fused


def side_by_side(matrices: Sequence[np.ndarray], weights: Sequence[float] | None = None) -> Fused:
    """L2-normalise the rows of each (V, F_m) matrix and concatenate them; a zero row is missing.

    `weights` (M,) multiply the squared distances of their parts, 1 each without them.
    """
    blocks, present = [], []
    for matrix, weight in zip(matrices, weights or [1.0] * len(matrices), strict=True):
        rows = _of_safe_size(matrix.astype(np.float32))
        norm = np.linalg.norm(rows, axis=1, keepdims=True)
        block = rows / np.where(norm > 0, norm, 1)
        blocks.append(block if weight == 1 else np.float32(np.sqrt(weight)) * block)
        present.append(norm > 0)
    return Fused(
        np.concatenate(blocks, axis=1),
        np.concatenate(present, axis=1).astype(np.float32),
        tuple(block.shape[1] for block in blocks),
    )


def _of_safe_size(rows: Floats32) -> Floats32:
    """Return rows (V, F), those of extreme size scaled by a power of two, which loses no bit.

    >>> _of_safe_size(np.array([[3.0, 4.0], [2.0**100, 0.0]], dtype=np.float32)).tolist()
    [[3.0, 4.0], [0.5, 0.0]]
    """
    _, power = np.frexp(np.maximum(rows.max(axis=1), -rows.min(axis=1)))
    extreme = np.abs(power) > _SAFE
    if not extreme.any():
        return rows
    return np.ldexp(rows, np.where(extreme, -power, 0)[:, None])


def whole(vectors: np.ndarray) -> Fused:
    """Return vectors (V, F) as one part that every item has, without normalisation."""
    present = np.ones((len(vectors), 1), dtype=np.float32)
    return Fused(vectors.astype(np.float32), present, (vectors.shape[1],))
