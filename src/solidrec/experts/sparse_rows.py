"""Sparse matrices over items, each row reduced to its largest entries."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

from solidrec.arrays import Array

KEEP = 200
"""Neighbours kept per item: more do not change a mixture's ten best (docs/log.md)."""


def sparse(rows: Array, columns: Array, values: Array, *, items: int) -> csr_array:
    """Return the (V, V) matrix whose entries are the sums of `values` at the same place."""
    return csr_array(coo_array((values, (rows, columns)), shape=(items, items)))


def nearest(matrix: csr_array, keep: int = KEEP) -> csr_array:
    """Return a matrix with the `keep` largest positive off-diagonal entries of each row.

    Ties go to the smaller column.

    >>> matrix = csr_array(np.array([[9.0, 2.0, 2.0], [1.0, 9.0, 3.0], [0.0, 0.0, 9.0]]))
    >>> nearest(matrix, keep=1).toarray().tolist()
    [[0.0, 2.0, 0.0], [0.0, 0.0, 3.0], [0.0, 0.0, 0.0]]
    """
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    columns, values = matrix.indices, matrix.data
    # Drop the diagonal and what is not positive.
    other = (rows != columns) & (values > 0)
    rows, columns, values = rows[other], columns[other], values[other]
    # Sort each row by falling value, then by column.
    order = np.lexsort((columns, -values, rows))
    # The rank within the row. `rows` is sorted before and after, so a search finds its first entry.
    place = np.arange(len(rows)) - np.searchsorted(rows, rows)
    order = order[place < keep]
    return sparse(rows[order], columns[order], values[order], items=matrix.shape[0])


def side_by_side(matrices: list[csr_array]) -> tuple[Array, Array, Array]:
    """Return K matrices as ``starts`` (V + 2,), ``columns`` (n,) and ``values`` (n, K).

    The n places are the union of the matrices' places. Row 0 is empty, for padding; row j + 1 is
    row j of the matrices.

    >>> first, second = np.array([[0, 1], [0, 0]]), np.array([[0, 0], [5, 0]])
    >>> starts, columns, values = side_by_side([csr_array(first), csr_array(second)])
    >>> starts.tolist(), columns.tolist(), values.tolist()
    ([0, 0, 1, 2], [1, 0], [[1.0, 0.0], [0.0, 5.0]])
    """
    width = matrices[0].shape[0]
    # A place (row, column) as one integer, row * V + column.
    keys = []
    for matrix in matrices:
        rows = np.repeat(np.arange(width, dtype=np.int64), np.diff(matrix.indptr))
        keys.append(rows * width + matrix.indices)
    union = np.unique(np.concatenate(keys))
    # The values of all matrices at the union of the places, 0 where a matrix has none.
    values = np.zeros((len(union), len(matrices)), dtype=np.float32)
    for kind, (key, matrix) in enumerate(zip(keys, matrices, strict=True)):
        values[np.searchsorted(union, key), kind] = matrix.data
    # Entries per row, and their running sum behind the empty row of padding.
    counts = np.bincount(union // width, minlength=width)
    starts = np.concatenate([[0, 0], np.cumsum(counts)]).astype(np.int64)
    return starts, (union % width).astype(np.int32), values
