"""Several feature matrices side by side, each item placed by the modalities it has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from solidrec.errors import DataError


class Fused(NamedTuple):
    """Vectors (V, F) of unit length a modality, and ``present`` (V, F): 1 where the item has that modality."""

    vectors: np.ndarray
    present: np.ndarray


def fuse(matrices: Sequence[np.ndarray]) -> Fused:
    """L2-normalise each (V, F_m) matrix row by row and put them side by side; an all-zero row is a missing modality.

    Raises `DataError` when no item has any modality.

    >>> fuse([np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[2.0], [5.0]])]).vectors.tolist()
    [[0.6000000238418579, 0.800000011920929, 1.0], [0.0, 0.0, 1.0]]
    """
    blocks, present = [], []
    for matrix in matrices:
        norm = np.linalg.norm(matrix.astype(np.float32), axis=1, keepdims=True)
        blocks.append(matrix.astype(np.float32) / np.where(norm > 0, norm, 1))
        present.append(np.repeat(norm > 0, matrix.shape[1], axis=1))
    fused = Fused(np.concatenate(blocks, axis=1), np.concatenate(present, axis=1).astype(np.float32))
    if not fused.present.any():
        raise DataError("the features are zero for every item, so nothing can be clustered; check the feature files")
    return fused
