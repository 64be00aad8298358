from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from solidrec.data.windows import ranges, windows


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(1, 5), st.data())
def test_a_window_is_the_python_slice_before_the_position(lengths: list[int], length: int, data: st.DataObject) -> None:
    items = np.arange(1, sum(lengths) + 1, dtype=np.int32)
    ends = np.cumsum(lengths)
    user = data.draw(st.integers(0, len(lengths) - 1))
    start = int(ends[user]) - lengths[user]
    position = data.draw(st.integers(start, int(ends[user])))
    expected = items[max(start, position - length) : position].tolist()
    found = windows(items, np.array([start]), np.array([position]), length)
    assert found.tolist() == [expected + [0] * (length - len(expected))]
    assert found.dtype == np.int32


def test_no_rows_and_no_events_give_empty_and_padded_windows() -> None:
    none = np.array([], dtype=np.int64)
    assert windows(np.array([4, 5]), none, none, 3).shape == (0, 3)
    assert windows(np.array([], dtype=np.int32), np.array([0]), np.array([0]), 2).tolist() == [[0, 0]]


def test_ranges_skip_empty_and_reversed_ones() -> None:
    rows, values = ranges(np.array([0, 5, 9, 2]), np.array([2, 5, 3, 3]))
    assert rows.tolist() == [0, 0, 3]
    assert values.tolist() == [0, 1, 2]
