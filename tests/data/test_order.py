from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.data.order import lexical_order, repeats

NUMBERS = st.one_of(st.integers(0, 3), st.integers(-(2**63), 2**63 - 1))


@given(st.lists(st.tuples(st.integers(0, 2), NUMBERS, st.integers(0, 1)), max_size=40))
def test_the_order_is_numpys_lexsort_whatever_the_range_of_a_key(
    rows: list[tuple[int, int, int]],
) -> None:
    keys = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    assert lexical_order(*keys).tolist() == np.lexsort(keys[::-1]).tolist()


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64])
def test_many_rows_of_any_integer_type_keep_their_order_where_keys_are_equal(dtype: type) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 300, (2, 100_000)).astype(dtype)
    second *= np.array(6_000_000, dtype=dtype)  # nearly the whole range of 32 bits
    assert lexical_order(first, second).tolist() == np.lexsort((second, first)).tolist()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_row_repeats_if_an_earlier_one_of_its_group_has_its_key(
    rows: list[tuple[bool, int]],
) -> None:
    expected, seen = [], set[int]()
    for number, (starts, key) in enumerate(rows):
        seen = set() if starts or number == 0 else seen
        expected.append(key in seen)
        seen.add(key)
    starts, keys = np.array([starts for starts, _ in rows]), np.array([key for _, key in rows])
    starts[0] = True
    assert repeats(starts, keys).tolist() == expected
