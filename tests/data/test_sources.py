"""Every source by every type: the same prepared data from a frame of either library and a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from solidrec import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError

ITEMS = ["i0", "i1", "i2", "i3", "i4"]
LOG = pl.DataFrame(
    [(f"u{user}", f"i{(user + k) % 5}", 40 - 10 * k) for user in range(5) for k in range(4)],
    schema=["user", "item", "timestamp"],
    orient="row",
)


def by_parquet(frame: pd.DataFrame, folder: Path) -> Any:
    frame.to_parquet(folder / "table.parquet")
    return folder / "table.parquet"


def by_polars(frame: pd.DataFrame, folder: Path) -> Any:
    return pl.read_parquet(by_parquet(frame, folder))


def as_frame(frame: pd.DataFrame, folder: Path) -> Any:
    return frame


SOURCES = (as_frame, by_parquet, by_polars)
Source = Callable[[pd.DataFrame, Path], Any]


def prepared(log: Any, folder: Path, **options: Any) -> PreparedData:
    return prepare(log, out=folder / "data", negatives=1, **options)


TIMES: dict[str, Callable[[pd.Series], Any]] = {
    "int64": lambda times: times,
    "int16": lambda times: times.astype("int16"),
    "uint64": lambda times: times.astype("uint64"),
    "float64": lambda times: times.astype("float64"),
    "float32": lambda times: times.astype("float32"),
    "fractions": lambda times: times + 0.25,
    "nullable": lambda times: times.astype("Int64"),
    "text": lambda times: times.astype("str"),
    "seconds": lambda times: pd.to_datetime(times, unit="s").dt.as_unit("s"),
    "milliseconds": lambda times: pd.to_datetime(times, unit="s").dt.as_unit("ms"),
    "microseconds": lambda times: pd.to_datetime(times, unit="s").dt.as_unit("us"),
    "nanoseconds": lambda times: pd.to_datetime(times, unit="ns").dt.as_unit("ns"),
    "zoned": lambda times: pd.to_datetime(times, unit="s", utc=True).dt.tz_convert("Asia/Tokyo"),
    "days": lambda times: pd.to_datetime(times, unit="D").dt.date,
    "arrow int": lambda times: times.astype(pd.ArrowDtype(pa.int32())),
    "arrow time": lambda times: pd.to_datetime(times, unit="s").astype(
        pd.ArrowDtype(pa.timestamp("s"))
    ),
    "arrow decimal": lambda times: times.astype(pd.ArrowDtype(pa.decimal128(25, 2))),
    "categorical": lambda times: times.astype("category"),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", TIMES)
def test_times_of_every_type_give_the_same_order(kind: str, source: Source, tmp_path: Path) -> None:
    frame = pd.DataFrame(LOG.to_dict(as_series=False))
    frame["timestamp"] = TIMES[kind](frame["timestamp"])
    data = prepared(source(frame, tmp_path), tmp_path)
    ids = [data.items.id(int(item)) for item in data.event_items]
    # the log is in the order of users, each backwards
    assert ids == [f"i{(user + k) % 5}" for user in range(5) for k in (3, 2, 1, 0)]


CONTENT: dict[str, tuple[Any, list[list[str]]]] = {
    "text": (["a", None, "c", "", "e"], [["a"], [], ["c"], [], ["e"]]),
    "nothing": ([float("nan")] * 5, [[]] * 5),
    "float with a gap": ([1, None, 2, 2, 1], [["1.0"], [], ["2.0"], ["2.0"], ["1.0"]]),
    "nullable": (pd.array([1, None, 2, 2, 1], dtype="Int64"), [["1"], [], ["2"], ["2"], ["1"]]),
    "string": (
        pd.array(["a", None, "c", "d", "e"], dtype="string"),
        [["a"], [], ["c"], ["d"], ["e"]],
    ),
    "categorical": (pd.Categorical(["a", None, "c", "a", "c"]), [["a"], [], ["c"], ["a"], ["c"]]),
    "arrow": (
        pd.array(["a", None, "c", "d", "e"], dtype=pd.ArrowDtype(pa.string())),
        [["a"], [], ["c"], ["d"], ["e"]],
    ),
    "lists": ([[], None, ["a", "b"], ["b"], ["a", None]], [[], [], ["a", "b"], ["b"], ["a"]]),
    "lists after a gap": ([None, [], ["a"], [], ["b"]], [[], [], ["a"], [], ["b"]]),
    "arrow lists": (
        pd.array([[], None, ["a", "b"], ["b"], ["a"]], dtype=pd.ArrowDtype(pa.list_(pa.string()))),
        [[], [], ["a", "b"], ["b"], ["a"]],
    ),
    "nested lists": (
        [[["a"], ["b", "c"]], None, [], [["a"]], [[]]],
        [["a", "b", "c"], [], [], ["a"], []],
    ),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("kind", CONTENT)
def test_titles_and_categories_of_every_type(kind: str, source: Source, tmp_path: Path) -> None:
    values, labels = CONTENT[kind]
    frame = pd.DataFrame({"item": ITEMS, "title": values, "category": values})
    data = prepared(LOG, tmp_path, items=source(frame, tmp_path))
    assert data.catalog["categories"].to_list() == labels
    assert data.catalog["title"].to_list() == [" ".join(words) or None for words in labels]


def test_arrays_are_lists(tmp_path: Path) -> None:
    rows = [["a", "b"], ["c", None], ["a", "a"], None, ["", "d"]]
    words = pl.Series(rows, dtype=pl.Array(pl.String, 2))
    frame = pl.DataFrame({"item": ITEMS, "title": words, "category": words, "image": words})
    data = prepared(LOG, tmp_path, items=frame)
    assert data.catalog["categories"].to_list() == [["a", "b"], ["c"], ["a"], [], ["d"]]
    assert data.catalog["title"].to_list() == ["a b", "c", "a a", None, " d"]
    assert data.catalog["image"].to_list() == ["a", "c", "a", None, None]


@pytest.mark.parametrize("source", [as_frame, by_polars])
def test_a_title_of_two_kinds_is_refused(source: Source, tmp_path: Path) -> None:
    frame = pd.DataFrame({"item": ITEMS, "title": ["a", 1984, None, "c", "d"]})
    if source is as_frame:
        with pytest.raises(DataError, match="column 'title' mixes kinds of value"):
            prepared(LOG, tmp_path, items=frame)
    else:
        structs = pl.DataFrame({"item": ITEMS, "title": [{"en": "a"}] * 5})
        with pytest.raises(DataError, match="column 'title' mixes kinds of value or holds objects"):
            prepared(LOG, tmp_path, items=structs)


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_a_missing_rating_is_a_bad_row(gap: float | None, tmp_path: Path) -> None:
    frame = pd.DataFrame(LOG.to_dict(as_series=False)).assign(rating=[gap] + [5.0] * 19)
    with pytest.raises(DataError, match="rating"):
        prepared(frame, tmp_path, min_rating=4.0)


def test_pandas_times_with_and_without_a_zone_do_not_mix(tmp_path: Path) -> None:
    """Those of several offsets are instants; an items column that nothing reads may mix them."""
    zones = [timezone(timedelta(hours=hour)) for hour in range(5)]
    zoned = [pd.Timestamp(2024, 1, 1, tzinfo=zone) for zone in zones]
    mixed = [pd.Timestamp(2024, 1, 1), *zoned[1:]]
    log = LOG.to_pandas()
    log["timestamp"] = pd.Series(zoned * 4, dtype=object)
    items = pd.DataFrame({"item": ITEMS, "added": pd.Series(mixed, dtype=object)})
    data = prepared(log, tmp_path, items=items)
    first = int(zoned[4].timestamp()) * 10**6
    assert sorted(set(data.event_times.tolist())) == [first + 3600 * 10**6 * k for k in range(5)]
    log["timestamp"] = pd.Series(mixed * 4, dtype=object)
    with pytest.raises(
        DataError, match=r"'timestamp' is of type Object, .* without a zone"
    ) as caught:
        prepare(log, out=tmp_path / "mixed")
    assert "\n" not in str(caught.value)
