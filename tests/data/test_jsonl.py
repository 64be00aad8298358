from __future__ import annotations

import io

import pytest

from solidrec.data.jsonl import MAX_LINE, read_jsonl
from solidrec.errors import DataError


def test_numbers_keep_their_digits_and_missing_keys_are_null() -> None:
    lines = b'{"user": 9007199254740993, "x": 1e5}\n{"user": 18446744073709551617, "tags": ["a", ["b", 7]]}\n'
    frame, kinds = read_jsonl(io.BytesIO(lines), "log.jsonl")
    assert frame["user"].to_list() == ["9007199254740993", "18446744073709551617"]
    assert frame["x"].to_list() == ["1e5", None]
    assert frame["tags"].to_list() == [None, ["a", "b", "7"]]
    assert kinds == {"user": {"integer": 1}, "x": {"number": 1}, "tags": {"list": 2}}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b'{"user": "a"', "not valid JSON"),
        (b'{"user": NaN}', "NaN is not JSON"),
        (b'{"user": 1, "user": 2}', "'user' occurs twice"),
        (b"[1, 2]", "not a JSON object"),
        (b'{"user": "' + b"a" * MAX_LINE + b'"}', "longer than"),
        (b"[" * 100_000, "not valid JSON"),
    ],
)
def test_d21_a_broken_line_is_named(line: bytes, says: str) -> None:
    with pytest.raises(DataError, match=f"log.jsonl:2: .*{says}"):
        read_jsonl(io.BytesIO(b'{"user": "a"}\n' + line), "log.jsonl")
