"""Modalities weigh the same, and a zero row is a missing one."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.errors import DataError
from solidrec.semantics.fuse import fuse


def test_each_modality_has_unit_length_whatever_its_scale() -> None:
    fused = fuse([np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[-2000.0], [1e-3]])])
    np.testing.assert_allclose(fused.vectors, [[3 / 5, 4 / 5, -1], [0, 0, 1]])
    assert fused.present.tolist() == [[1, 1, 1], [0, 0, 1]]
    assert fused.vectors.dtype == fused.present.dtype == np.float32


def test_input_is_not_written_to() -> None:
    given = np.array([[3.0, 4.0]], dtype=np.float32)
    given.flags.writeable = False
    fuse([given])
    assert given.tolist() == [[3.0, 4.0]]


def test_an_item_may_lack_everything_but_not_every_item() -> None:
    assert fuse([np.array([[1.0], [0.0]])]).present.tolist() == [[1], [0]]
    with pytest.raises(DataError, match="zero for every item"):
        fuse([np.zeros((3, 2)), np.zeros((3, 1))])
