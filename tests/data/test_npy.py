"""Arrays come back whole; whatever else a file holds is refused in one line of our own words."""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solidrec.data.npy import map_npy
from solidrec.errors import DataError, StorageError


def with_header(text: str, body: bytes = bytes(8)) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + body


def header(kind: str, shape: str) -> bytes:
    return with_header(f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}}}")


def saved(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def zipped() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.ones(2))
    return stream.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12, dtype=np.int16).reshape(3, 4)),
        np.arange(6, dtype=">f4").reshape(2, 3),
        np.ones((0, 4)),
        np.float32(3),
    ],
)
def test_an_array_comes_back(tmp_path: Path, array: Any) -> None:
    (tmp_path / "a.npy").write_bytes(saved(array))
    found = map_npy(tmp_path / "a.npy")
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert np.array_equal(found, array)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it does not begin like one"),
        (b"<html>not found</html>", "it does not begin like one"),
        (pickle.dumps([1]), "it does not begin like one"),
        (zipped(), "it does not begin like one"),
        (saved(np.array([{}]), allow_pickle=True), "it holds Python objects"),
        (header("[('a', '<f4'), ('b', '|O')]", "(1, 1)"), "it holds Python objects"),
        (saved(np.ones((3, 4)))[:-8], "it is cut off, or its header promises more than the 88 by"),
        (header("'<f4'", "(99999999999999999999, 2)"), "it is cut off"),
        (header("'<f4'", "(" + "9" * 4000 + ", 2)"), "it is cut off"),
        (header("'<f4'", "(" + "9" * 5000 + ", 2)"), "its header is damaged"),
        (header("'<f4'", "(99999999999999999999, 0)"), "its header is damaged"),
        (header("'<f4'", "(-1, -2)"), "its header is damaged"),
        (header("'<f4'", "(" * 4000 + ")" * 4000), "its header is damaged"),
        (header("'<f4'", "(" + "-" * 9000 + "1,)"), "its header is damaged"),
        (header("'<f4'", "(1, 2)" + " " * 20_000), "its header is damaged"),
        (header("__import__('os').getcwd()", "(1, 2)"), "its header is damaged"),
        (b"\x93NUMPY", "its header is damaged"),
        (b"\x93NUMPY\x01\x00\xff\xff{", "its header is damaged"),
        (b"\x93NUMPY\x03\x00" + bytes(99), "of an unknown version"),
    ],
)
def test_t10_what_is_no_plain_array_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError) as caught:
        map_npy(tmp_path / "a.npy")
    said = str(caught.value)
    assert said.startswith(f"{tmp_path / 'a.npy'}: is not a plain .npy array ({reason}")
    assert said.endswith("); save a numeric array with numpy.save")
    assert "pickle" not in said
    assert "\n" not in said


def test_a_file_that_cannot_be_read_is_a_fault_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"a.npy: cannot be read \(No such file"):
        map_npy(tmp_path / "a.npy")


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
def test_whatever_numpy_raises_for_it_is_one_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(DataError):
        map_npy(tmp_path / "a.npy")
