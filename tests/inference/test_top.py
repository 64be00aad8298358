from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from solidrec.inference import top as module
from solidrec.inference.top import _bound, best, top

Array = npt.NDArray[Any]


def naive(scores: Array, k: int, order: Array) -> list[list[int]]:
    """Sort each row whole: the higher score first, ties by `order`, -inf left out."""
    return [
        [int(c) for c in np.lexsort((keys, -row.astype(np.float64))) if row[c] > -np.inf][:k]
        for row, keys in zip(scores, np.broadcast_to(order, scores.shape), strict=True)
    ]


def by_row(rows: Array, columns: Array, count: int) -> list[list[int]]:
    return [columns[rows == row].tolist() for row in range(count)]


@pytest.mark.parametrize("width", [1, 9, 10, 11, 100, 1000])
@pytest.mark.parametrize("levels", [1, 3, 40, 10**9])
@pytest.mark.parametrize("k", [1, 10, 2000])
@pytest.mark.parametrize("group", [1, 16])
def test_it_is_a_sort_of_everything(
    width: int, levels: int, k: int, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GROUP", group)
    rng = np.random.default_rng(width + levels)
    scores = (rng.integers(levels, size=(17, width)) / levels - 0.5).astype(np.float32)
    scores[rng.random(scores.shape) < 0.3] = -np.inf
    scores[3] = -np.inf
    before = scores.copy()
    order = np.argsort(rng.random(scores.shape), axis=1)
    assert by_row(*top(scores, k), 17) == naive(scores, k, np.arange(width))
    chosen = by_row(*best(scores, k, order=order), 17)
    assert [sorted(row) for row in chosen] == [sorted(row) for row in naive(scores, k, order)]
    assert np.array_equal(scores, before)


def test_at_least_k_scores_reach_the_bound_and_few_more() -> None:
    scores = np.random.default_rng(0).standard_normal((200, 5000)).astype(np.float32)
    reached = (scores >= _bound(scores, 10)[:, None]).sum(1)
    assert reached.min() >= 10
    assert reached.mean() < 11


def test_no_rows_and_no_columns() -> None:
    for shape in ((0, 5), (3, 0), (0, 0)):
        rows, columns = top(np.zeros(shape, dtype=np.float32), 4)
        assert len(rows) == len(columns) == 0


def test_asking_for_a_billion_makes_no_room_for_them() -> None:
    tracemalloc.start()
    rows, columns = top(np.array([[1.0, 2.0, 3.0]]), 10**9)
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (rows.tolist(), columns.tolist()) == ([0, 0, 0], [2, 1, 0])
    assert used < 1_000_000
