"""One row a user with a list of items is the same log as one row an event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from solidrec import prepare
from solidrec.data.clean import Rules, clean
from solidrec.data.readers import read_table
from solidrec.data.sequences import unrolled
from solidrec.errors import DataError, UsageError

USERS = {"a": ["x", "y", "z", "x"], "b": ["z", "w", "y"]}
EVENTS = [(user, item, k) for user, items in USERS.items() for k, item in enumerate(items)]
LISTS = pl.DataFrame({"user": list(USERS), "sequence": list(USERS.values())})


def as_frame(folder: Path) -> Any:
    return LISTS


def as_array(folder: Path) -> Any:
    same = LISTS.with_columns(pl.col("sequence").list.head(3).cast(pl.Array(pl.String, 3)))
    return same.rename({"sequence": "items"})


def as_pandas(folder: Path) -> Any:
    return pd.DataFrame({"user": list(USERS), "items": list(USERS.values())})


def as_parquet(folder: Path) -> Any:
    LISTS.write_parquet(folder / "log.parquet")
    return folder / "log.parquet"


def as_jsonl(folder: Path) -> Any:
    LISTS.write_ndjson(folder / "log.jsonl")
    return folder / "log.jsonl"


def as_csv(folder: Path) -> Any:
    pd.DataFrame({"user": list(USERS), "item_sequence": list(USERS.values())}).to_csv(
        folder / "log.csv", index=False
    )
    return folder / "log.csv"


def as_printed(folder: Path) -> Any:
    arrays = [np.array(items) for items in USERS.values()]
    pd.DataFrame({"user": list(USERS), "items": arrays}).to_csv(folder / "log.csv", index=False)
    assert "['z' 'w' 'y']" in (folder / "log.csv").read_text()
    return folder / "log.csv"


@pytest.mark.parametrize(
    "source", [as_frame, as_array, as_pandas, as_parquet, as_jsonl, as_csv, as_printed]
)
def test_every_source_gives_the_events_in_order(source: Any, tmp_path: Path) -> None:
    data = prepare(source(tmp_path), out=tmp_path / "data", negatives=1)
    items = [data.items.id(int(item)) for item in data.event_items]
    kept = 3 if source is as_array else 4
    assert items == [*USERS["a"][:kept], *USERS["b"]]
    assert data.manifest["order"] == "file"
    assert data.manifest["rows"]["in"] == len(items)


def test_it_is_the_log_of_its_events(tmp_path: Path) -> None:
    given: dict[str, Any] = {"negatives": 1}
    rolled = prepare(LISTS, out=tmp_path / "rolled", **given)
    events = pl.DataFrame(EVENTS, ["user", "item", "k"], orient="row")
    flat = prepare(events, out=tmp_path / "flat", order="file", **given)
    assert rolled.fingerprint == flat.fingerprint


def test_lists_of_times_order_the_events(tmp_path: Path) -> None:
    times = [[4, 3, 2, 1], [1, 3, 2]]
    data = prepare(
        LISTS.with_columns(timestamp=pl.Series(times)), out=tmp_path / "data", negatives=1
    )
    items = [data.items.id(int(item)) for item in data.event_items]
    assert items == ["x", "z", "y", "x", "z", "y", "w"]
    assert data.manifest["order"] == "timestamp"
    short = LISTS.with_columns(timestamp=pl.Series([[1], [1, 2, 3]]))
    with pytest.raises(DataError, match="DataFrame: cannot be read"):
        prepare(short, out=tmp_path / "short")


def test_whole_numbers_are_ids_and_floats_are_not(tmp_path: Path) -> None:
    numbers = LISTS.with_columns(sequence=pl.Series([[7, 8, 2**53 + 1], [8, 7, 9]]))
    data = prepare(numbers, out=tmp_path / "data", negatives=1)
    assert data.items.id(int(data.event_items[2])) == str(2**53 + 1)
    with pytest.raises(DataError, match="is of type Float64"):
        prepare(LISTS.with_columns(sequence=pl.Series([[7.0], [8.0]])), out=tmp_path / "floats")


def test_a_bad_event_has_the_place_of_its_row(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(
        '{"user": "a", "items": ["x", "y"]}\n{"user": "b", "items": []}\n'
        '{"user": "c", "items": ["z", " "]}\n'
    )
    with pytest.raises(DataError) as caught:
        prepare(path, out=tmp_path / "data")
    assert f"null_item (2): {path}:2, {path}:3;" in str(caught.value)


def test_nulls_of_json_lists_keep_the_entries_with_their_times(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"user": 1, "items": ["a", null, "c", "d"], "timestamp": [3, 2, null, 1]}\n')
    with pytest.raises(DataError, match=r"null_item \(1\): .*:1; null_time \(1\): .*:1;"):
        prepare(path, out=tmp_path / "data")
    log = clean(
        read_table(path), columns={}, rules=Rules(on_bad_row="quarantine", max_bad_fraction=1)
    )
    assert (log.items.gather(log.item - 1).to_list(), log.time.tolist()) == (["d", "a"], [1, 3])
    assert log.rows["rejected"] == {"null_item": 1, "null_time": 1}


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ("[1.0, 2.0]", r"item column 'items' holds number \(.*log.jsonl:1\); write ids as strings"),
        ("[true, false]", "item column 'items' holds true/false"),
        ('[{"id": 1}, "a"]', "item column 'items' holds object .*, text"),
        ('[1, "1"]', "item column 'items' holds integer .*, text"),
        ('["a", ["b"]]', "log.jsonl:1: column 'items' holds a list in a list"),
    ],
)
def test_json_lists_follow_the_rules_of_ids(items: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(f'{{"user": 1, "items": {items}, "timestamp": [1, 2]}}\n')
    with pytest.raises(DataError, match=text) as caught:
        prepare(path, out=tmp_path / "data")
    assert "\n" not in str(caught.value)


def test_times_of_json_in_nested_lists_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"user": 1, "items": ["a", "b", "c"], "timestamp": [[3, 1], 2]}\n')
    with pytest.raises(DataError, match="column 'timestamp' holds a list in a list"):
        prepare(path, out=tmp_path / "data")


def test_a_single_id_among_json_lists_is_a_list_of_one(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"user": 1, "items": ["a", "b", "c"]}\n{"user": 2, "items": "a"}\n')
    assert unrolled(read_table(path), {})[0].collect(pl.col("items"))["items"].to_list() == [
        *"abca"
    ]


def test_a_table_with_items_is_left_alone(tmp_path: Path) -> None:
    events = pl.DataFrame(EVENTS, ["user", "item", "sequence"], orient="row")
    assert not unrolled(read_table(events), {})[2]
    with pytest.raises(UsageError, match="no time column"):
        prepare(events, out=tmp_path / "data")
    # another column may be named
    named = LISTS.with_columns(item=pl.lit("no item"))
    assert unrolled(read_table(named), {"sequence": "sequence"})[2]


@pytest.mark.parametrize(
    "values", [[1, 2], ["x y", "z w"], ["['x', 1.5]", "['y']"], ["['x', 'y' 'z']", "['y']"]]
)
def test_what_is_no_list_is_refused(values: list[Any], tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": ["a", "b"], "sequence": values})
    with pytest.raises(DataError, match="a sequence is a list of item ids") as caught:
        prepare(frame, out=tmp_path / "data")
    assert "\n" not in str(caught.value)
