"""Times of every kind become whole numbers of one unit, exactly or not at all."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidrec.data.columns import number_column
from solidrec.data.readers import read_table
from solidrec.data.times import Reading, best_reading, readings
from solidrec.errors import UsageError

DAY = 86_400
# 2024-01-02, days since 1970
DAYS = (date(2024, 1, 2) - date(1970, 1, 1)).days


def found(
    values: list[Any], dtype: Any = None, *, time_format: str | None = None
) -> tuple[list[int | None], Reading]:
    """Read a column in the best way; null where a value is bad."""
    table = read_table(pl.DataFrame({"t": pl.Series(values, dtype=dtype)}))
    column = number_column(table, "t", "time")
    ways = readings(table.dtype("t"), time_format)
    way = best_reading(table, column, ways)
    return table.collect(column, then=lambda frame: frame.select(way.read("time")))[
        :, 0
    ].to_list(), way


def test_whole_numbers_stay_as_they_are() -> None:
    assert found([3, -3, None])[0] == [3, -3, None]
    assert found(["3", "1e3", "4.0", "-2"])[0] == [3, 1000, 4, -2]
    assert found([3.0, 2.0**53 - 1])[0] == [3, 2**53 - 1]
    assert found(["1"])[1].note == ""


@pytest.mark.parametrize(("dtype", "bits"), [(pl.Float16, 11), (pl.Float32, 24), (pl.Float64, 53)])
def test_a_float_that_may_have_been_rounded_is_no_time(dtype: Any, bits: int) -> None:
    assert found([2.0**bits - 1, 2.0**bits], dtype)[0] == [2**bits - 1, None]


def test_fractions_are_kept_in_millionths_or_billionths() -> None:
    texts = ["1700000003.25", "1700000003", "-1.5", ".5", "1.7e9", "1700000000.000001"]
    millionths = [
        1_700_000_003_250_000,
        1_700_000_003_000_000,
        -1_500_000,
        500_000,
        17 * 10**14,
        17 * 10**14 + 1,
    ]
    assert found(texts)[0] == millionths
    assert "millionths" in found(texts)[1].note
    assert found([*texts, "0.0000001"])[0] == [1000 * each for each in millionths] + [100]
    # a tenth of a billionth, a point, and a whole number that does not fit in millionths
    assert found([*texts, "0.0000000001", ".", str(10**13)])[0] == [*millionths, None, None, None]
    assert found(["1.00000000000000000001"])[0] == [None]


def test_a_float_counts_as_the_shortest_number_that_reads_as_it() -> None:
    assert found([1_700_000_003.25, 0.1, 3.0])[0] == [1_700_000_003_250_000, 100_000, 3_000_000]
    assert found([0.1, 1.5], pl.Float32)[0] == [100_000, 1_500_000]
    assert found([1.5, float("nan"), float("inf"), 1e20])[0] == [1_500_000, None, None, None]


@given(st.lists(st.floats(1e9, 2e9), min_size=2, max_size=9))
def test_floats_keep_order_and_equality_or_are_refused(values: list[float]) -> None:
    times = [time for time, value in zip(found(values)[0], values, strict=True)]
    for one, left in zip(values, times, strict=True):
        for two, right in zip(values, times, strict=True):
            if left is not None and right is not None:
                assert (one < two, one == two) == (left < right, left == right)


def test_decimals_are_exact() -> None:
    big = "9007199254740993"  # 2^53 + 1
    assert found([big], pl.Decimal(20, 0))[0] == [2**53 + 1]
    assert found(["1700000003.2500"], pl.Decimal(20, 4))[0] == [1_700_000_003_250_000]


def test_nanoseconds_stay_nanoseconds_only_if_they_must() -> None:
    assert found([2_000, -1_000, None], pl.Datetime("ns"))[0] == [2, -1, None]
    assert found([2_001, -1_000, None], pl.Datetime("ns"))[0] == [2_001, -1_000, None]
    assert found([2_001], pl.Datetime("ns"))[1].per_second == 10**9
    assert found([5], pl.Datetime("ms"))[0] == [5_000]
    assert found([2**62, 1], pl.Datetime("ms"))[0] == [None, 1_000]  # 2^62 * 1000 does not fit
    assert found([DAYS], pl.Date)[0] == [DAYS * DAY * 10**6]


ISO = [
    ("2024-01-02", Fraction(0)),
    ("2024-01-02 10:00", Fraction(36_000)),
    ("2024-01-02T10:00:01", Fraction(36_001)),
    ("2024-01-02t10:00:01.25", Fraction(144_005, 4)),
    ("2024-01-02 10:00:01.000001000", Fraction(36_001_000_001, 10**6)),
]


def test_iso_dates_are_microseconds() -> None:
    exact = [int((DAYS * DAY + second) * 10**6) for _, second in ISO]
    times, way = found([text for text, _ in ISO])
    assert times == exact
    assert "UTC" in way.note
    assert way.per_second == 10**6
    finer = found([*[text for text, _ in ISO], "2024-01-02 00:00:00.000000001"])
    assert finer[0] == [*[1000 * each for each in exact], DAYS * DAY * 10**9 + 1]


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("Z", 0), ("z", 0), (" Z", 0), ("+00:00", 0), ("+0200", 2), ("-05:30", -5.5), ("+02", 2)],
)
def test_offsets_are_taken_off(zone: str, hours: float) -> None:
    expected = int((DAYS * DAY + 36_000 - hours * 3600) * 10**6)
    assert found([f"2024-01-02T10:00:00{zone}"])[0] == [expected]


@given(st.datetimes(datetime(1000, 1, 1), datetime(2999, 1, 1)))
def test_every_microsecond_survives(when: datetime) -> None:
    since = (when.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
        microseconds=1
    )
    assert found([when.isoformat()])[0] == [since]


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2024-13-01",
        "2024-02-30",
        "2024-01-02 25:00:00",
        "2024-01-02 10",
        "02.01.2024",
        "2024-01-02 10:00:00.0000000001",
        "1500-01-01 00:00:00.0000001",  # nanoseconds begin in 1677
        "",
        "nan",
    ],
)
def test_what_is_neither_a_number_nor_an_iso_date_is_no_time(text: str) -> None:
    assert found([text])[0] == [None]


def test_a_column_is_read_in_one_way() -> None:
    """The one that leaves the fewest times unread: two kinds are never put in one order."""
    assert found(["2024-01-02", "2024-01-02", "5"])[0] == [DAYS * DAY * 10**6] * 2 + [None]
    assert found(["5", "6", "2024-01-02"])[0] == [5, 6, None]
    zoned = found(["2024-01-02 00:00:00Z", "2024-01-02 00:00:00Z", "2024-01-02 00:00:00"])[0]
    assert zoned == [DAYS * DAY * 10**6] * 2 + [None]


def test_a_time_format_reads_the_rest() -> None:
    texts = ["02.01.2024 10:00", "x", "2024-01-02"]
    assert found(texts, time_format="%d.%m.%Y %H:%M")[0] == [
        (DAYS * DAY + 36_000) * 10**6,
        None,
        None,
    ]
    assert found([20240102], time_format="%Y%m%d")[0] == [DAYS * DAY * 10**6]
    fine = found(["2024-01-02 00:00:00.0000005"], time_format="%Y-%m-%d %H:%M:%S%.f")[0]
    assert fine == [DAYS * DAY * 10**9 + 500]


@pytest.mark.parametrize("given", ["%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S%.f"])
def test_a_fraction_of_a_time_format_has_the_digits_after_the_point(given: str) -> None:
    texts = [f"2024-01-02 10:00:00{part}" for part in (".5", ".25", ".75", ".000001", ".8")]
    start = (DAYS * DAY + 36_000) * 10**6
    micros = [start + part for part in (500_000, 250_000, 750_000, 1, 800_000)]
    assert found(texts, time_format=given)[0] == micros
    fine = found([*texts, "2024-01-02 10:00:00.000000001"], time_format=given)[0]
    assert fine == [*(1000 * each for each in micros), 1000 * start + 1]


@given(st.datetimes(datetime(1000, 1, 1), datetime(2999, 1, 1)))
def test_a_time_format_reads_what_python_writes_in_it(when: datetime) -> None:
    written = when.strftime("%d.%m.%Y %H:%M:%S.%f").replace(f".{when.year} ", f".{when.year:04} ")
    since = (when - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    assert found([written], time_format="%d.%m.%Y %H:%M:%S.%f")[0] == [since]


@pytest.mark.parametrize(
    "given", ["%Y-%m-%d %H:%M:%S,%f", "%Y%m%d%H%M%S%f", "%Y-%m-%d %H:%M:%S%-f"]
)
def test_a_fraction_without_a_point_is_refused(given: str) -> None:
    with pytest.raises(
        UsageError, match=r"has %f without a point.*write it as %d.*%S\.%f"
    ) as caught:
        readings(pl.String(), given)
    assert "\n" not in str(caught.value)


def test_the_name_of_a_zone_is_refused_and_an_offset_is_read() -> None:
    with pytest.raises(UsageError, match=r"has %Z, but .*; write offsets such as -0800"):
        readings(pl.String(), "%Y-%m-%d %H:%M:%S %Z")
    texts = ["2024-01-02 10:00:00 -0800", "2024-01-02 18:00:00 +0000"]
    assert (
        found(texts, time_format="%Y-%m-%d %H:%M:%S %z")[0]
        == [(DAYS * DAY + 18 * 3600) * 10**6] * 2
    )


def test_a_percent_sign_of_a_time_format_is_no_code() -> None:
    assert found(["2024-01-02 %Z"], time_format="%Y-%m-%d %%Z")[0] == [DAYS * DAY * 10**6]


@pytest.mark.parametrize("given", ["%Q", "hello", "%d.%m", "%H:%M", "%Y-%m-%d %H", "%"])
def test_a_time_format_without_a_full_date_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"--time-format .* does not read a full date") as caught:
        readings(pl.String(), given)
    assert "\n" not in str(caught.value)
