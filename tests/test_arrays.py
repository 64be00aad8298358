"""The array types tell their dtypes apart wherever calls are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from beartype.door import is_bearable

from solidrec.arrays import NOT_PLAIN, AnyInts, Array, Floats, Floats32, Ints

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


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"\x93NUMPY\x01\x00\x10\x00{'descr': [[[[\n",
        b"\x93NUMPY\x01\x00\x76\x00{'des\x91\x00'<f4', 'shape': \x91\x00, 2), }" + b" " * 90,
        b"\x93NUMPY\x01\x00\x46\x00{'descr': '|O', 'fortran_order': False, 'shape': (9, 9)}\n",
        b"\x93NUMPY\x09\x00",
    ],
)
def test_what_numpy_raises_for_no_array_is_listed(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(NOT_PLAIN):
        np.load(tmp_path / "a.npy", allow_pickle=False)
