"""Notes on times that people may not have meant: mixed units, negative ones, odd years."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt

_UNITS = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_FIRST = 631_152_000  # 1990-01-01 in seconds
_DAY = 86_400
COUNTERS = 10**8
"""Times that are all nearer to 0 than this count something else than seconds."""


def time_notes(
    times: npt.NDArray[np.int64], *, per_second: int | None = None, now: float | None = None
) -> list[str]:
    """Return a line, with counts, for each oddity of the times (N,) of a log.

    A time is in order from 1990 to tomorrow, in any of the usual units, or in that of `per_second`
    units a second. Whole numbers that are all small count something else, and only negative ones
    are told.

    >>> time_notes(np.array([1_700_000_000, 1_700_000_000_000, 1_700_000_001]), now=1.8e9)[0]
    'times in several units: 2 look like seconds, 1 look like milliseconds; bring them to one unit'
    >>> time_notes(np.arange(5))
    []
    """
    last = int(time.time() if now is None else now) + _DAY
    low, high = int(times.min()), int(times.max())
    units = {name: unit for name, unit in _UNITS.items() if per_second in (None, unit)}
    if any(_FIRST * unit <= low and high <= last * unit for unit in units.values()):
        return []
    found = _counts(times, units, last)
    notes = []
    if len(found) > 1:
        shown = ", ".join(f"{count:,} look like {name}" for name, count in found.items())
        notes.append(f"times in several units: {shown}; bring them to one unit")
    if negative := int(np.count_nonzero(times < 0)):
        notes.append(f"{negative:,} times are negative, so before 1970; see that this is meant")
    counters = per_second is None and not found and -COUNTERS < low and high < COUNTERS
    odd = len(times) - sum(found.values()) - negative
    if odd and not counters:
        notes.append(
            f"{odd:,} of {len(times):,} times lie outside the years from 1990 to tomorrow; see "
            "that the column and its unit are the right ones"
        )
    return notes


def _counts(times: npt.NDArray[np.int64], units: dict[str, int], last: int) -> dict[str, int]:
    """Return how many times are in order in each unit, for those of any."""
    counts = {
        name: int(np.count_nonzero((times >= _FIRST * unit) & (times <= last * unit)))
        for name, unit in units.items()
        if last * unit < 2**63
    }
    return {name: count for name, count in counts.items() if count}
