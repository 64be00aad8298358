"""Rows of sparse matrices against loops over dense ones."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.experts.sparse_rows import nearest, side_by_side, sparse


def test_values_at_one_place_are_added() -> None:
    rows, columns, values = np.array([0, 2, 0]), np.array([1, 0, 1]), np.array([1.5, 4.0, 2.0])
    found = sparse(rows, columns, values, items=3)
    assert found.toarray().tolist() == [[0.0, 1.5 + 2.0, 0.0], [0.0] * 3, [4.0, 0.0, 0.0]]


@pytest.mark.parametrize("keep", [1, 3, 100])
def test_the_nearest_are_the_largest_of_each_row(keep: int) -> None:
    dense = np.random.default_rng(0).normal(size=(20, 20)).round(1)  # with ties
    found = nearest(sparse(*np.nonzero(dense), dense[np.nonzero(dense)], items=20), keep).toarray()
    for row in range(20):
        order = [
            c
            for c in sorted(range(20), key=lambda c: (-dense[row, c], c))
            if c != row and dense[row, c] > 0
        ]
        assert np.flatnonzero(found[row]).tolist() == sorted(order[:keep])
        assert (found[row][order[:keep]] == dense[row][order[:keep]]).all()


def test_side_by_side_keeps_every_entry_of_every_matrix() -> None:
    rng = np.random.default_rng(1)
    dense = [rng.normal(size=(9, 9)) * (rng.random((9, 9)) < share) for share in (0.1, 0.6, 0.0)]
    starts, columns, values = side_by_side(
        [sparse(*np.nonzero(one), one[np.nonzero(one)], items=9) for one in dense]
    )
    assert starts[:2].tolist() == [0, 0]  # padding
    back = np.zeros((3, 9, 9))
    for row in range(9):
        for entry in range(starts[row + 1], starts[row + 2]):
            back[:, row, columns[entry]] = values[entry]
    np.testing.assert_allclose(back, np.stack(dense), rtol=1e-6)
