from __future__ import annotations

import io
import json

import pytest

from solidrec.data.jsonl import MAX_LINE, read_jsonl
from solidrec.errors import DataError


def test_numbers_keep_their_digits_and_missing_keys_are_null() -> None:
    lines = (
        b'{"user": 9007199254740993, "x": 1e5}\n'
        b'{"user": 18446744073709551617, "tags": ["a", ["b", 7]]}\n'
    )
    frame, kinds = read_jsonl(io.BytesIO(lines), "log.jsonl")
    assert frame["user"].to_list() == ["9007199254740993", "18446744073709551617"]
    assert frame["x"].to_list() == ["1e5", None]
    assert frame["tags"].to_list() == [None, ["a", "b", "7"]]
    assert kinds == {
        "user": {"integer": 1},
        "x": {"number": 1},
        "tags": {"list": 2, "list of list": 2, "list of text": 2},
    }


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


def test_columns_that_change_from_part_to_part_are_those_of_one_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        {},
        {"a": None},
        {"a": 1},
        {"b": "x", "a": 2},
        {"b": True},
        {"a": 1.5},
        {},
        {"b": ["y", None, [3]]},
        {"c": {"d": 1}},
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    whole, kinds = read_jsonl(io.BytesIO(lines), "log.jsonl")
    assert whole["a"].to_list() == [None, None, "1", "2", None, "1.5", None, None, None]
    assert whole["b"].to_list() == [
        None,
        None,
        None,
        ["x"],
        ["true"],
        None,
        None,
        ["y", None, "3"],
        None,
    ]
    assert kinds == {
        "a": {"integer": 3, "number": 6},
        "b": {
            "text": 4,
            "true/false": 5,
            "list": 8,
            "list of list": 8,
            "list of null": 8,
            "list of text": 8,
        },
        "c": {"object": 9},
    }
    for size in range(1, len(rows)):
        monkeypatch.setattr("solidrec.data.jsonl.CHUNK", size)
        parts, found = read_jsonl(io.BytesIO(lines), "log.jsonl")
        assert parts.to_dict(as_series=False) == whole.to_dict(as_series=False)
        assert found == kinds


def test_an_error_far_down_names_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("solidrec.data.jsonl.CHUNK", 4)
    with pytest.raises(DataError, match=r"log.jsonl:11: .*'a' occurs twice"):
        read_jsonl(io.BytesIO(b'{"a": 1}\n' * 10 + b'{"a": 1, "a": 2}\n'), "log.jsonl")


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    assert read_jsonl(io.BytesIO(b'\xef\xbb\xbf{"a": "x"}\n'), "log.jsonl")[0]["a"].to_list() == [
        "x"
    ]


@pytest.mark.parametrize(
    "line",
    [
        b'{"user": "cut \\ud83d"}',
        b'{"\\ud83d": 1}',
        b'{"tags": ["a", "\\udc00"]}',
        b'{"user": 1, "unread": ' + b"[" * 900 + b"]" * 900 + b"}",
    ],
)
def test_a_value_that_no_text_can_hold_is_named(line: bytes) -> None:
    """A surrogate alone is half a character; lists of 900 levels are no data."""
    with pytest.raises(
        DataError, match=r"log.jsonl:2: holds (text with half|lists that)"
    ) as caught:
        read_jsonl(io.BytesIO(b'{"user": "a", "tags": []}\n' + line + b"\n{}"), "log.jsonl")
    assert "\n" not in str(caught.value)


def test_a_pair_of_surrogates_is_a_character_and_numbers_may_be_long() -> None:
    digits = "9" * 5000
    lines = b'{"user": "\\ud83d\\ude00", "n": ' + digits.encode() + b', "o": {"k": 1}}'
    frame, _ = read_jsonl(io.BytesIO(lines), "log.jsonl")
    assert frame.rows() == [("\U0001f600", digits, '{"k": "1"}')]
