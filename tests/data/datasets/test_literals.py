from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.data.datasets.literals import labels_of, list_of, literal_record
from solidrec.data.jsonl import MAX_LINE
from solidrec.errors import DataError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(), inner, max_size=3)
        | st.tuples(inner)
    ),
    max_leaves=9,
)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_what_python_writes_comes_back(record: dict[str, object]) -> None:
    assert literal_record(repr(record).encode(), "meta", 1) == record


def test_apostrophes_escapes_and_nested_lists_are_read() -> None:
    line = (
        rb"""{'asin': 'B01', 'title': "Levi's \"501\"", 'categories': [['A', 'B & C'], ['A']], """
        rb"'price': 9.99, 'x': u'\xe9'}"
    )
    assert literal_record(line, "meta", 1) == {
        "asin": "B01",
        "title": 'Levi\'s "501"',
        "categories": [["A", "B & C"], ["A"]],
        "price": 9.99,
        "x": "é",
    }


@pytest.mark.parametrize(
    "line",
    [
        "__import__('os').system('touch hacked')",
        "{'asin': __import__('os').system('touch hacked')}",
        "{'asin': 'B0', 'title': f'{1 + 1}'}",
        "{'asin': open('x')}",
        "{'asin': (lambda: 1)()}",
        "{'asin': [i for i in (1, 2)]}",
        "{'asin': 'B0' * 99999999}",
        "{'asin': 9 ** 9 ** 9}",
        "{'asin': b'x'}",
        "{'asin': " + "[" * 200_000 + "]" * 200_000 + "}",
        "{'asin': " + "-" * 200_000 + "1}",
        "{'asin': " + "1-" * 200_000 + "1}",
        "{'asin': 1" + " -1" * 200_000 + "}",
        "{'asin': " + "not " * 100_000 + "1}",
        "{'asin': ''" + "()" * 200_000 + "}",
        "{'asin': ''" + "[0]" * 200_000 + "}",
        "\\'" * 200_000,
        "{'asin': 'B0'",
        "{'asin': 'B0}",
        "{'asin': 1 1}",
        "{[]: 1}",
        "{'a': 1}; import os",
        "",
    ],
    ids=lambda line: line[:30],
)
def test_a_hostile_or_broken_line_is_named_and_nothing_runs(
    line: str, tmp_path, monkeypatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        DataError,
        match=r"^meta\.json\.gz:7: is not a Python literal \(.*\); download the file again$",
    ):
        literal_record(line.encode(), "meta.json.gz", 7)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", ["['a']", "'text'", "None", "{'a', 'b'}"])
def test_a_line_that_is_no_dictionary_is_named(value: str) -> None:
    with pytest.raises(DataError, match=r"meta:3: is not a (dictionary|Python literal)"):
        literal_record(value.encode(), "meta", 3)


def test_a_line_over_a_megabyte_is_refused_before_it_is_read() -> None:
    line = b"{'asin': '" + b"x" * (2 << 20) + b"'}"
    with pytest.raises(DataError, match=rf"meta:4: line is longer than {MAX_LINE:,} B"):
        literal_record(line, "meta", 4)


def test_bytes_that_are_no_utf8_are_named() -> None:
    with pytest.raises(DataError, match="meta:2: is not a Python literal"):
        literal_record(b"{'asin': '\xff'}", "meta", 2)


def test_an_escape_that_python_does_not_know_is_kept_without_a_warning() -> None:
    assert literal_record(rb"{'asin': 'a\/b'}", "meta", 1) == {"asin": "a\\/b"}


def test_json_is_a_literal_too_where_it_has_no_words_of_its_own() -> None:
    record = {"asin": "B0", "categories": [["A"]], "price": 1.5}
    assert literal_record(json.dumps(record).encode(), "meta", 1) == record


@pytest.mark.parametrize("text", ["['\\ud800']", "['a'", "a", "[f()]", "[" * 9999, "", "[b'a']"])
def test_what_writes_no_list_of_texts_is_none(text: str) -> None:
    assert labels_of(text) is None
    assert list_of(text) is None


def test_lists_of_texts() -> None:
    assert labels_of("[['a', None], ('b', [])]") == ["a", "b"]
    assert labels_of("[1, 2.5]") == ["1", "2.5"]
    assert labels_of("['nan', nan, None]") == ["nan"]
    assert labels_of("[True]") is None
    assert labels_of("'a'") is None
    assert list_of("[1, '007', 10]") == ["1", "007", "10"]
    assert list_of("[['a']]") is None
    assert list_of("[True]") is None
    assert list_of("['a', nan]") is None
    assert list_of("[]") == []


@given(st.lists(st.text(), min_size=1, max_size=30))
def test_an_array_that_numpy_prints_is_the_list_that_it_holds(texts: list[str]) -> None:
    for array in (np.array(texts, dtype=object), np.array(texts)):
        kept = [str(text) for text in array]
        assert list_of(str(array)) == kept
        assert labels_of(str(array)) == kept


def test_an_array_of_numbers_or_with_gaps_is_read_too() -> None:
    assert list_of("[ 50 181]") == ["50", "181"]
    assert labels_of("['Pans' nan None\n 'Pots']") == ["Pans", "Pots"]


@pytest.mark.parametrize("text", ["['a', 'b' 'c']", "('a' 'b')", "['a''b']", "['a' ... 'b']"])
def test_strings_side_by_side_are_never_joined(text: str) -> None:
    assert list_of(text) is None
    assert labels_of(text) is None
