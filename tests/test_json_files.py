"""Our JSON is read strictly: whatever we would not write is refused, in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.errors import DamagedError, StorageError
from solidrec.json_files import parse_json, read_json, sealed, unsealed

HOSTILE = {
    "deep lists": "[" * 100_000,
    "deep objects": '{"a":' * 100_000,
    "closed deep lists": "[" * 100_000 + "]" * 100_000,
    "digits": '{"a": ' + "9" * 5_000 + "}",
    "negative digits": "-" + "9" * 5_000,
    "twice": '{"a": 1, "a": 1}',
    "twice inside": '[{"b": {"a": 1, "a": 2}}]',
    "NaN": '{"a": NaN}',
    "Infinity": "[Infinity, -Infinity]",
    "too large": '{"a": 1e999}',
    "lone surrogate": '{"a": "\\ud800"}',
    "lone surrogate in a list": '["\\uDFFF"]',
    "lone surrogate as a key": '{"\\udc00": 1}',
    "empty": "",
    "half": '{"a": ',
    "two": "{} {}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]{1,200}$"):
        parse_json(text)
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(
        DamagedError, match=r"^[^\n]*a.json: is not valid JSON \([^\n]*\)"
    ) as caught:
        read_json(tmp_path / "a.json")
    assert "set_int_max_str_digits" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe{\x00}\x00", b'{"a": "\xed\xa0\x80"}', b'\xef\xbb\xbf{"a": 1}', b'"\xff"']
)
def test_bytes_that_are_no_utf8_of_ours_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(content)


_PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcé😀"), inner),
    max_leaves=12,
)


@given(_PLAIN)
def test_what_we_write_comes_back(value: Any) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=False, allow_nan=False)) == value
    assert parse_json(json.dumps(value).encode()) == value  # with escapes


@given(st.dictionaries(st.text("abc"), _PLAIN))
def test_a_sealed_object_opens_after_a_round_trip(value: dict[str, Any]) -> None:
    again = json.loads(json.dumps(sealed(value), indent=1))
    assert unsealed(again) == value
    assert unsealed(value) == value  # one of an earlier version


def test_any_change_breaks_the_seal() -> None:
    good = sealed({"a": [1, 2.5], "b": {"c": "x"}})
    for other in (
        good | {"a": [1, 2.6]},
        good | {"a": [2.5, 1]},
        good | {"b": {}},
        good | {"d": None},
        {key: value for key, value in good.items() if key != "a"},
        good | {"sha256": "0" * 64},
        good | {"sha256": None},
        good | {"sha256": [1]},
    ):
        with pytest.raises(ValueError, match="its own sha256 differs"):
            unsealed(other)
    with pytest.raises(ValueError, match="no object, but list"):
        unsealed([])


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        read_json(tmp_path / "a.json")
    with pytest.raises(StorageError, match="cannot read"):
        read_json(tmp_path)
