"""Which objects are tables, and pandas frames copied exactly."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from solidrec.data.frames import frame_of
from solidrec.errors import DataError, UsageError

NS = pd.to_datetime(["2024-01-01 00:00:00.123456789", "NaT"])
SINCE = 1_704_067_200_123_456_789


def copied(values: Any) -> pl.Series:
    return frame_of(pd.DataFrame({"c": values}))[0].collect()["c"]


@pytest.mark.parametrize(
    "given",
    [
        pd.Series([1]),
        pl.Series([1]),
        {"user": [1]},
        [1, 2],
        pa.table({"user": [1]}),
        np.zeros(2),
        b"log.csv",
        None,
        3,
    ],
)
def test_what_is_no_table_is_refused_in_one_line(given: Any) -> None:
    with pytest.raises(UsageError, match="path or a polars or pandas DataFrame, not a") as caught:
        frame_of(given)
    assert "\n" not in str(caught.value)


def test_polars_frames_are_taken_as_they_are() -> None:
    frame = pl.DataFrame({"a": [1]})
    assert frame_of(frame)[1] == "DataFrame"
    assert frame_of(frame.lazy())[1] == "LazyFrame"


def test_a_pandas_column_name_twice_is_refused() -> None:
    frame = pd.DataFrame([[1, 2]], columns=[1, "1"])
    with pytest.raises(DataError, match="has column '1' more than once"):
        frame_of(frame)


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (pd.array([1, None, 2**62 + 1], dtype="Int64"), pl.Int64, [1, None, 2**62 + 1]),
        (pd.array([1, None, 2**63 + 1], dtype="UInt64"), pl.UInt64, [1, None, 2**63 + 1]),
        (pd.array([1.5, None], dtype="Float64"), pl.Float64, [1.5, None]),
        (pd.array([True, None], dtype="boolean"), pl.Boolean, [True, None]),
        (pd.array(["a", None], dtype="string[python]"), pl.String, ["a", None]),
        (pd.Series(["a", None]), pl.String, ["a", None]),
        (pd.Series(["a", np.nan, pd.NA, pd.NaT], dtype=object), pl.String, ["a"] + [None] * 3),
        (pd.Series(["b", None, "a"], dtype="category"), pl.String, ["b", None, "a"]),
        (
            pd.Series(pd.array([2, None, 1], dtype="Int64")).astype("category"),
            pl.Int64,
            [2, None, 1],
        ),
        (pd.Series([np.int64(2**53 + 1), None], dtype=object), pl.Int64, [2**53 + 1, None]),
        (pd.Series([2**64 + 1, 3], dtype=object), pl.Int128, [2**64 + 1, 3]),
        (pd.Series([Decimal("1.5"), None]), pl.Decimal, [Decimal("1.5"), None]),
        (pd.Series([date(2024, 1, 1), None]), pl.Date, [date(2024, 1, 1), None]),
        (pd.Series([None, None], dtype=object), pl.Null, [None, None]),
    ],
)
def test_scalars(values: Any, dtype: Any, expected: list[Any]) -> None:
    assert copied(values).dtype == dtype
    assert copied(values).to_list() == expected


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(NS),
        pd.Series(NS.tz_localize("UTC")),
        pd.Series([NS[0], None], dtype=object),
        pd.Series(
            [NS[0].tz_localize("Etc/GMT+1").tz_convert("UTC") - pd.Timedelta("1h"), None],
            dtype=object,
        ),
        pd.Series(NS).astype("category"),
        pd.Series(NS, dtype=pd.ArrowDtype(pa.timestamp("ns"))),
    ],
)
def test_nanoseconds_survive(values: Any) -> None:
    assert copied(values).dtype.time_unit == "ns"  # type: ignore[attr-defined]
    assert copied(values).dt.epoch("ns").to_list() == [SINCE, None]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "D"])
def test_coarser_dates_are_the_same_moments(unit: str) -> None:
    values = np.array(["2024-01-01", "NaT"], f"M8[{unit}]")
    assert copied(values).dt.epoch("s").to_list() == [1_704_067_200, None]


def test_seconds_that_do_not_fit_in_milliseconds_stay_objects() -> None:
    assert copied(np.array([2**62], "M8[s]")).dtype == pl.Object


@pytest.mark.parametrize(
    ("values", "inner", "expected"),
    [
        ([None, [], ["a", None]], pl.String, [None, [], ["a", None]]),
        ([[], ["a"]], pl.String, [[], ["a"]]),
        ([[], None], pl.String, [[], None]),
        ([("a",), np.array(["b"], dtype=object)], pl.String, [["a"], ["b"]]),
        ([[], [["a"], []], None], pl.List(pl.String), [[], [["a"], []], None]),
        ([np.array([1.0, 2.0]), None, np.array([])], pl.Float64, [[1.0, 2.0], None, []]),
        ([np.array([1.5], "f4"), None], pl.Float32, [[1.5], None]),
        ([[1, 2.5], [3]], pl.Float64, [[1.0, 2.5], [3.0]]),
    ],
)
def test_lists(values: list[Any], inner: Any, expected: list[Any]) -> None:
    found = copied(pd.Series(values, dtype=object))
    assert found.dtype == pl.List(inner)
    assert found.to_list() == expected


@pytest.mark.parametrize(
    "values",
    [
        pd.Series(["a", 1], dtype=object),
        pd.Series([["a", 1]]),
        pd.Series([{"a"}, None]),
        pd.Series([1 + 2j]),
        pd.Series([2**200], dtype=object),
        pd.Series(pd.period_range("2024-01", periods=2, freq="M")),
        pd.Series(pd.cut([1, 2, 3], 2)),
        pd.Series([NS[0], NS[0].tz_localize("UTC")], dtype=object),
        pd.Series([NS[0].tz_localize("UTC"), NS[0]], dtype=object),
        pd.Series([datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC)], dtype=object),
        pd.Series([[datetime(2024, 1, 1)], [datetime(2024, 1, 1, tzinfo=UTC)]]),
        pd.Series([[NS[0]], []]),  # polars would cut the nanoseconds off
        pd.Series([NS[0], pd.Timestamp("3024-01-01")], dtype=object),
    ],
)
def test_what_polars_has_no_type_for_stays_objects(values: Any) -> None:
    assert copied(values).dtype == pl.Object
    assert len(copied(values)) == len(values)


def test_datetimes_of_python_are_exact() -> None:
    assert copied(pd.Series([datetime(2024, 1, 1), None], dtype=object)).to_list() == [
        datetime(2024, 1, 1),
        None,
    ]


@pytest.mark.parametrize("kind", [pd.Timestamp, datetime])
def test_times_of_several_offsets_are_their_instants(kind: Any) -> None:
    times = [kind(2024, 1, 1, tzinfo=timezone(timedelta(hours=hour))) for hour in range(8)]
    found = copied(pd.Series([*times, None], dtype=object))
    seconds = [SINCE // 10**9 - 3600 * hour for hour in range(8)]
    assert found.dt.epoch("s").to_list() == [*seconds, None]


def test_nanoseconds_of_several_offsets_survive() -> None:
    zones = [timezone(timedelta(hours=hour)) for hour in (-5, 2)]
    times = [NS[0].tz_localize("UTC").tz_convert(zone) for zone in zones]
    whole = pd.Timestamp(2024, 1, 1, tzinfo=zones[0])
    found = copied(pd.Series([*times, whole], dtype=object))
    assert found.dt.epoch("ns").to_list() == [
        SINCE,
        SINCE,
        SINCE // 10**9 * 10**9 + 5 * 3600 * 10**9,
    ]


def test_timestamps_beyond_nanoseconds_are_exact() -> None:
    times = [pd.Timestamp("2024-01-01").as_unit("ns"), pd.Timestamp("3024-01-01")]
    assert copied(pd.Series(times, dtype=object)).to_list() == times
