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


def test_ordinary_features_keep_every_bit() -> None:
    """Scaling is for extreme rows alone, and by a power of two, so that it shows in no bit."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 33)).astype(np.float32)
    rows *= 10.0 ** rng.integers(-14, 15, size=(200, 1)).astype(np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert fuse([rows]).vectors.tobytes() == unit.tobytes()
    for power in (-100, -60, -30, 30, 60, 120):
        scaled = np.ldexp(rng.normal(size=(200, 33)).astype(np.float32), -4)
        expected = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
        assert fuse([np.ldexp(scaled, power)]).vectors.tobytes() == expected.tobytes()


@pytest.mark.parametrize("scale", [1e-44, 1e-38, 1e-25, 1e25, 3e37])
def test_no_scale_of_float32_is_too_small_or_too_large(scale: float) -> None:
    rows = np.array([[3.0, 4.0], [-4.0, 3.0], [0.0, 0.0]], dtype=np.float32) * np.float32(scale)
    fused = fuse([rows])
    assert fused.present.tolist() == [[1], [1], [0]]
    rough = 0.2 if scale < 1e-40 else 1e-6  # float32 itself holds few digits there
    np.testing.assert_allclose(fused.vectors, [[0.6, 0.8], [-0.8, 0.6], [0, 0]], atol=rough)
    beside = fuse([np.vstack([rows, [[1.0, 0.0]]])])  # one extreme row does not touch the others
    assert beside.vectors[3].tolist() == [1.0, 0.0]
