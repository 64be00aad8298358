"""Histories to answer, from files of all kinds and from prepared data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.data.histories import read_histories
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, UsageError

Rows = list[tuple[str, list[str]]]
LOG = pl.DataFrame(
    {"user": list("bababa"), "item": list("xyzwxy"), "timestamp": [30, 1, 10, 2, 20, 3]}
)
"""b: z x x in the order of time is z (10), x (20), x (30); a: y w y."""
SORTED = [("a", ["y", "w", "y"]), ("b", ["z", "x", "x"])]


def rows(frame: pl.DataFrame) -> Rows:
    assert frame.columns == ["user", "history"]
    return list(frame.iter_rows())


def parquet(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_parquet(folder / "log.parquet")
    return folder / "log.parquet"


def csv(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_csv(folder / "log.csv")
    return folder / "log.csv"


def jsonl(frame: pl.DataFrame, folder: Path) -> Path:
    frame.write_ndjson(folder / "log.jsonl")
    return folder / "log.jsonl"


@pytest.mark.parametrize("write", [parquet, csv, jsonl])
def test_a_log_is_sorted_by_user_and_time_whatever_its_format(
    tmp_path: Path, write: Callable[[pl.DataFrame, Path], Path]
) -> None:
    assert rows(read_histories(write(LOG, tmp_path))) == SORTED
    assert rows(read_histories(write(LOG.reverse(), tmp_path))) == SORTED


def test_a_log_without_times_is_in_order(tmp_path: Path) -> None:
    found = rows(read_histories(csv(LOG.drop("timestamp"), tmp_path)))
    assert found == [("a", ["y", "w", "y"]), ("b", ["x", "z", "x"])]


def test_columns_may_have_any_name(tmp_path: Path) -> None:
    named = LOG.rename({"user": "visitor", "item": "sku", "timestamp": "at"})
    columns = {"user": "visitor", "item": "sku", "time": "at"}
    assert rows(read_histories(csv(named, tmp_path), columns=columns)) == SORTED


@pytest.mark.parametrize("write", [parquet, jsonl])
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"history": [["a", "b"], []]}, [("0", ["a", "b"]), ("1", [])]),
        ({"user_id": [4, 5], "history": [[1, 2], None]}, [("4", ["1", "2"]), ("5", [])]),
        ({"user": ["b", "a"], "history": [["007"], ["NA"]]}, [("b", ["007"]), ("a", ["NA"])]),
    ],
)
def test_a_table_may_hold_a_list_in_each_row(
    tmp_path: Path,
    write: Callable[[pl.DataFrame, Path], Path],
    columns: dict[str, Any],
    expected: Rows,
) -> None:
    assert rows(read_histories(write(pl.DataFrame(columns), tmp_path))) == expected


def test_all_users_of_a_prepared_folder_have_all_their_events(data: PreparedData) -> None:
    found = rows(read_histories(data.path))
    assert [user for user, _ in found] == data.users.series.to_list()
    for number, (_, history) in enumerate(found, start=1):
        events = data.event_items[data.offsets[number] : data.offsets[number + 1]]
        assert history == [data.items.id(int(item)) for item in events]


@pytest.mark.parametrize(
    ("columns", "error", "text"),
    [
        ({"user": ["a"], "item": [1.0], "timestamp": [1]}, DataError, "Float64.*ids are strings"),
        ({"user": ["a"], "history": [[1.0]]}, DataError, "hold Float64.*ids as strings"),
        ({"user": ["a"], "history": [[True]]}, DataError, "hold Boolean"),
        ({"user": ["a"], "history": ["a,b"]}, UsageError, "a list of item ids is needed"),
        ({"user": ["a"], "thing": ["b"]}, UsageError, "found user, thing"),
        ({"user": ["a", None], "item": ["x", "y"], "timestamp": [1, 2]}, DataError, "null_user"),
        ({"user": ["a", "a"], "item": ["x", " "], "timestamp": [1, 2]}, DataError, "null_item"),
        ({"user": ["a", "b"], "history": [["x"], ["x", None]]}, DataError, ":2: 'history' has"),
        ({"user": ["a", None], "history": [["x"], ["x"]]}, DataError, ":2: 'user' has"),
    ],
)
def test_what_prepare_would_refuse_is_refused(
    tmp_path: Path, columns: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        read_histories(parquet(pl.DataFrame(columns), tmp_path))


def test_numbers_of_json_lists_keep_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"user": "a", "history": [2**70, 7]}) + "\n", "utf-8")
    assert rows(read_histories(path)) == [("a", [str(2**70), "7"])]


@pytest.mark.parametrize(
    ("history", "text"),
    [
        ("[181.0]", r"'history' column holds number \(.*log.jsonl:2\); write ids as strings"),
        ("[true]", "'history' column holds true/false"),
        ('["a", ["b"]]', "'history' column holds list .*, text"),
        ('[{"id": "a"}]', "'history' column holds object"),
        ('["x", 1]', r"'history' column holds integer \(.*:2\), text \(.*:2\)"),
        ('["a", null]', ":2: 'history' has an empty id"),
    ],
)
def test_json_lists_follow_the_rules_of_ids(tmp_path: Path, history: str, text: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(f'{{"user": "a", "history": []}}\n{{"user": "b", "history": {history}}}\n')
    with pytest.raises(DataError, match=text) as caught:
        read_histories(path)
    assert "\n" not in str(caught.value)
