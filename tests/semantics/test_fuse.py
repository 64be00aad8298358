"""Modalities weigh the same, and a zero row is a missing one."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.errors import DataError
from solidrec.semantics.fuse import fuse, whole


def test_each_modality_has_unit_length_whatever_its_scale() -> None:
    fused = fuse([np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[-2000.0], [1e-3]])])
    np.testing.assert_allclose(fused.vectors, [[3 / 5, 4 / 5, -1], [0, 0, 1]])
    assert fused.present.tolist() == [[1, 1], [0, 1]]
    assert fused.widths == (2, 1)
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


def test_a_weight_multiplies_the_squared_distances_of_its_part() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
    plain, weighted = fuse([one, two]).vectors, fuse([one, two], [1, 2.5]).vectors
    for a in range(5):
        for b in range(5):
            parts = [((plain[a] - plain[b])[part] ** 2).sum() for part in (slice(3), slice(3, 5))]
            assert ((weighted[a] - weighted[b]) ** 2).sum() == pytest.approx(
                parts[0] + 2.5 * parts[1], rel=1e-5, abs=1e-6
            )


def test_rows_and_whole() -> None:
    fused = fuse([np.array([[1.0], [0.0], [2.0]]), np.ones((3, 2))]).rows(
        np.array([False, True, True])
    )
    assert fused.present.tolist() == [[0, 1], [1, 1]]
    assert fused.vectors.shape == (2, 3)
    assert whole(np.array([[0.0, 2.0]])).present.tolist() == [[1]]
    assert whole(np.array([[0.0, 2.0]])).vectors.tolist() == [[0, 2]]
