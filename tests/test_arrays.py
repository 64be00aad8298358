"""The array types tell their dtypes apart wherever calls are checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from beartype.door import is_bearable

from solidrec.arrays import AnyInts, Array, Floats, Floats32, Ints

TYPES = {"Array": Array, "Floats": Floats, "Floats32": Floats32, "Ints": Ints, "AnyInts": AnyInts}


@pytest.mark.parametrize(
    ("dtype", "of"),
    [
        (np.float64, {"Floats"}),
        (np.float32, {"Floats32"}),
        (np.int64, {"Ints", "AnyInts"}),
        (np.int32, {"AnyInts"}),
        (np.bool_, set()),
    ],
)
def test_an_array_is_of_the_types_of_its_dtype(dtype: Any, of: set[str]) -> None:
    array = np.zeros((2, 3), dtype=dtype)
    assert {name for name, kind in TYPES.items() if is_bearable(array, kind)} == {"Array", *of}
    assert not any(is_bearable(array.tolist(), kind) for kind in TYPES.values())
