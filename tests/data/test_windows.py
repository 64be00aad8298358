from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from solidrec.data.windows import blocks, ranges, windows


@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(1, 5), st.data())
def test_a_window_is_the_python_slice_before_the_position(
    lengths: list[int], length: int, data: st.DataObject
) -> None:
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
    assert windows(np.array([], dtype=np.int32), np.array([0]), np.array([0]), 2).tolist() == [
        [0, 0]
    ]


def test_ranges_skip_empty_and_reversed_ones() -> None:
    rows, values = ranges(np.array([0, 5, 9, 2]), np.array([2, 5, 3, 3]))
    assert rows.tolist() == [0, 0, 3]
    assert values.tolist() == [0, 1, 2]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-2, 9)), max_size=20), st.integers(1, 12))
def test_blocks_cover_every_row_once_and_are_no_larger_than_asked_and_one_range(
    rows: list[tuple[int, int]], size: int
) -> None:
    starts = np.array([start for start, _ in rows], dtype=np.int64)
    lengths = np.array([length for _, length in rows], dtype=np.int64)
    found = list(blocks(starts, starts + lengths, size))
    assert [row for block in found for row in range(block.start, block.stop)] == list(
        range(len(rows))
    )
    held = [np.maximum(lengths[block], 0).sum() for block in found]
    assert all(count < size + max(lengths) for count in held[:-1]) or len(held) < 2
    assert len(found) <= 1 + sum(held) // size  # and there are no more of them than that takes
