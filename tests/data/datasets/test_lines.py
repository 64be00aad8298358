from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from solidrec.data.datasets import lines
from solidrec.data.datasets.lines import (
    _split_lines,
    identifier,
    labels,
    read_item_lines,
    read_lines,
    text,
)
from solidrec.data.jsonl import MAX_LINE, json_record
from solidrec.errors import DataError

Put = Callable[..., Path]
SCHEMA = {"a": pl.String(), "b": pl.List(pl.String())}


def pick(record):
    return identifier(record.get("a")), labels(record.get("b"))


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_the_wanted_fields_are_kept_in_order(
    put: Put, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(lines, "CHUNK", chunk)
    path = put(
        "x.jsonl.gz",
        '{"a": 1e5, "b": [["x"], "y"], "c": "no"}',
        '{"b": null}',
        '{"a": "007", "b": 12345678901234567890}',
    )
    table = read_lines(path, json_record, pick, SCHEMA)
    assert table.frame.collect().rows() == [
        ("1e5", ["x", "y"]),
        (None, []),
        ("007", ["12345678901234567890"]),
    ]
    assert (table.name, table.first_row) == (str(path), 1)


def test_lines_come_whole_from_blocks_of_any_size(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("x.txt", "first", "", "third")
    for block in (1, 3, 1 << 20):
        monkeypatch.setattr("solidrec.data.files._BLOCK", block)
        assert list(_split_lines(path)) == [b"first", b"", b"third"]
    path.write_bytes(b"no end")
    assert list(_split_lines(path)) == [b"no end"]


def test_a_bad_line_is_named_by_number(put: Put) -> None:
    with pytest.raises(DataError, match=r"x\.jsonl:2: is not valid JSON"):
        read_lines(put("x.jsonl", '{"a": "1"}', '{"a": }'), json_record, pick, SCHEMA)
    with pytest.raises(DataError, match=rf"x\.jsonl:2: line is longer than {MAX_LINE:,} B"):
        read_lines(
            put("x.jsonl", '{"a": "1"}', '{"a": "' + "x" * (2 << 20) + '"}'),
            json_record,
            pick,
            SCHEMA,
        )
    with pytest.raises(DataError, match="is empty"):
        read_lines(put("x.jsonl"), json_record, pick, SCHEMA)


def test_lists_that_are_nested_without_end_are_named(put: Put) -> None:
    for depth in (100, 700, 5_000):
        path = put("x.jsonl", '{"a": "1"}', '{"a": "2", "b": ' + "[" * depth + "]" * depth + "}")
        if depth == 100:
            assert read_lines(path, json_record, pick, SCHEMA).frame.collect().rows() == [
                ("1", []),
                ("2", []),
            ]
            continue
        with pytest.raises(
            DataError, match=r"x\.jsonl:2: (lists are nested too deep|is not valid JSON)"
        ):
            read_lines(path, json_record, pick, SCHEMA)


def test_a_cut_gzip_file_is_named(put: Put) -> None:
    path = put("x.jsonl.gz", *(f'{{"a": "{n * 7919}"}}' for n in range(999)))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="is not a whole gzip file"):
        read_lines(path, json_record, pick, SCHEMA)


def item(record):
    return identifier(record.get("asin")), text(record.get("title")), [], None, None, None


def test_the_first_record_of_a_repeated_item_counts_and_the_others_are_noted(put: Put) -> None:
    path = put(
        "m.json",
        '{"asin": "b", "title": "1"}',
        '{"asin": "a", "title": "2"}',
        '{"asin": "b", "title": "3"}',
    )
    table = read_item_lines(path, json_record, item)
    assert table.frame.collect().select("item_id", "title").rows() == [("b", "1"), ("a", "2")]
    assert table.notes == ("m.json: 1 records repeat an item; the first of each counts",)


def test_a_record_without_an_id_is_named(put: Put) -> None:
    with pytest.raises(DataError, match=r"m\.json:2: 1 records have no item id"):
        read_item_lines(put("m.json", '{"asin": "b"}', '{"title": "2"}'), json_record, item)


def test_what_is_no_text_is_none() -> None:
    assert [text(value) for value in (None, {}, [], ["a", ["b", None]], 3, "x")] == [
        None,
        None,
        None,
        "a b",
        "3",
        "x",
    ]
    assert [identifier(value) for value in (None, True, {}, ["a"], "x")] == [
        None,
        None,
        None,
        None,
        "x",
    ]
