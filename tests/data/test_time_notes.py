"""Notes on times: mixed units, negative ones, years outside 1990 to tomorrow; with counts."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.data.time_notes import COUNTERS, time_notes

NOW = 1_800_000_000
Y1990 = 631_152_000


def notes(*times: int, per_second: int | None = None) -> str:
    return "; ".join(time_notes(np.array(times), per_second=per_second, now=NOW))


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_d12_times_of_one_unit_from_1990_to_tomorrow_need_no_note(unit: int) -> None:
    assert notes(Y1990 * unit, (NOW + 86_400) * unit) == ""
    assert "1 of 2 times lie outside" in notes(Y1990 * unit, (NOW + 86_401) * unit)
    assert "1 of 2 times lie outside" in notes((Y1990 - 1) * unit, NOW * unit)


def test_d12_seconds_among_milliseconds_are_counted() -> None:
    assert notes(NOW, NOW * 1000, NOW - 5) == (
        "times in several units: 2 look like seconds, 1 look like milliseconds; "
        "bring them to one unit"
    )


def test_d12_negative_times_are_counted_whatever_they_count() -> None:
    assert notes(-1, -2, 3).startswith("2 times are negative")
    assert notes(-1, NOW).startswith("1 times are negative")


def test_small_numbers_that_count_something_else_need_no_note() -> None:
    assert notes(0, 1, COUNTERS - 1) == ""
    assert "2 of 2 times lie outside" in notes(COUNTERS, COUNTERS + 1)
    assert "1 of 2 times lie outside" in notes(0, NOW)


def test_dates_have_one_unit() -> None:
    # seconds read as microseconds: all in 1970
    assert "2 of 2 times lie outside" in notes(NOW, NOW + 1, per_second=10**6)
    assert notes(NOW * 10**6, per_second=10**6) == ""
