"""Read times of any kind as whole numbers, one unit for a column: exactly, or not at all.

Whole numbers stay as they are, in the unit that they are written in. A column with fractions is
held in millionths of its unit, or in billionths if it needs them; dates in microseconds since 1970,
or in nanoseconds if they need them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Literal, final

import polars as pl

from solidrec.data.reject import exact_below, whole_number
from solidrec.data.table import Table
from solidrec.errors import UsageError

_NUMBER = r"^(?<sign>[+-]?)(?<whole>\d*)(?:\.(?<part>\d*))?$"
_ISO = (
    r"^(?<date>\d{4}-\d\d-\d\d)(?:[Tt ](?<time>\d\d:\d\d)(?<second>:\d\d(?:\.\d+)?)?"
    r"(?: ?(?<zone>[Zz]|[+-]\d\d(?::?\d\d)?))?)?$"
)
_ISO_FORMAT = "%Y-%m-%d %H:%M:%S%.f%#z"
_FRACTION = re.compile(r"%%|\.%f")
_MISREAD = re.compile(r"%[-_0]?[fZ]")
_Unit = Literal["us", "ns"]
_DIGITS: dict[_Unit, int] = {"us": 6, "ns": 9}
_NAMES: dict[_Unit, str] = {"us": "microseconds", "ns": "nanoseconds"}


@final
@dataclass(frozen=True)
class Reading:
    """One way to read a column of times.

    `read` takes the name of the column and gives int64, null where a value does not fit exactly.
    `per_second` is known for dates only. `note` says what people must know of the numbers.
    """

    read: Callable[[str], pl.Expr]
    per_second: int | None = None
    note: str = ""


def readings(dtype: pl.DataType, time_format: str | None = None) -> tuple[Reading, ...]:
    """Return the ways to read a column of type `dtype`, the plainest first.

    Columns of dates come as whole microseconds, those of `Datetime("ns")` as whole nanoseconds
    (`columns.number_column`). Raises `UsageError` for a `time_format` that gives no full date, or
    that has parts which polars reads otherwise than Python.
    """
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        fine = isinstance(dtype, pl.Datetime) and dtype.time_unit == "ns"
        return (_cut, _dates(pl.col, "ns")) if fine else (Reading(pl.col, 10**6),)
    if time_format is not None:
        formatted = partial(_formatted, time_format=_checked(time_format))
        return tuple(_dates(partial(formatted, unit=unit), unit) for unit in _DIGITS)
    whole = Reading(partial(whole_number, dtype=dtype))
    if dtype.is_integer() or isinstance(dtype, pl.Null):
        return (whole,)
    fractions = tuple(_fractions(dtype, digits) for digits in _DIGITS.values())
    if dtype.is_numeric():
        return (whole, *fractions)
    iso = tuple(
        _dates(partial(_iso, unit=unit, zoned=zoned), unit, zoned=zoned)
        for zoned in (False, True)
        for unit in _DIGITS
    )
    return (whole, *fractions, *iso)


def best_reading(
    table: Table, column: pl.Expr, ways: Sequence[Reading], rows: int | None = None
) -> Reading:
    """Return the first of the ways that leaves the fewest times unread.

    `column` gives the times of the table; `rows` limits the look to the first rows.
    """
    counts = table.collect(
        column.alias("time"),
        then=lambda frame: (frame if rows is None else frame.head(rows)).select(
            way.read("time").is_null().sum().alias(str(number)) for number, way in enumerate(ways)
        ),
    ).row(0)
    return ways[counts.index(min(counts))]


def _dates(read: Callable[[str], pl.Expr], unit: _Unit, *, zoned: bool = True) -> Reading:
    utc = "" if zoned else "; those without a zone count as UTC"
    return Reading(
        read, 10 ** _DIGITS[unit], f"times are dates, kept as {_NAMES[unit]} since 1970{utc}"
    )


def _microseconds(column: str) -> pl.Expr:
    """Return nanoseconds as microseconds, null where they are no whole ones."""
    time = pl.col(column)
    return pl.when(time % 1000 == 0).then(time // 1000)


_cut = Reading(_microseconds, 10**6)


def _fractions(dtype: pl.DataType, digits: int) -> Reading:
    name = {6: "millionths", 9: "billionths"}[digits]
    return Reading(
        partial(_scaled, dtype=dtype, digits=digits),
        note=f"times have fractions and are kept in {name} of their unit",
    )


def _scaled(column: str, *, dtype: pl.DataType, digits: int) -> pl.Expr:
    """Return numbers times 10**digits, null where that is no whole number or too large.

    A float counts as the shortest decimal number that reads as it, which keeps order and equality.
    """
    scale, most = 10**digits, (2**63 - 1) // 10**digits - 1
    value = pl.col(column)
    if dtype.is_float():
        value = pl.when(value.abs() < exact_below(dtype)).then(value)
    fields = value.cast(pl.String).str.extract_groups(_NUMBER).struct
    whole, part = fields.field("whole"), fields.field("part").fill_null("")
    number = ("0" + whole).cast(pl.Int64, strict=False)
    tail = part.str.strip_chars_end("0")
    fraction = tail.str.pad_end(digits, "0").cast(pl.Int64, strict=False)
    written = (tail.str.len_chars() <= digits) & ((whole + part) != "") & (number <= most)
    sign = pl.when(fields.field("sign") == "-").then(-1).otherwise(1)
    exact = whole_number(column, dtype)
    return pl.coalesce(
        pl.when(written).then(sign * (number * scale + fraction)),
        pl.when(exact.abs() <= most).then(exact * scale),
    )


def _iso(column: str, *, unit: _Unit, zoned: bool) -> pl.Expr:
    """Return ISO dates as units since 1970: only those with a zone, or only those without."""
    fields = pl.col(column).str.extract_groups(_ISO).struct
    zone = fields.field("zone")
    text = pl.concat_str(
        fields.field("date"),
        pl.lit(" "),
        fields.field("time").fill_null("00:00"),
        fields.field("second").fill_null(":00"),
        pl.when(zone.str.to_uppercase() == "Z").then(pl.lit("+00:00")).otherwise(zone)
        if zoned
        else pl.when(zone.is_null()).then(pl.lit("+00:00")),
    )
    return _epoch(text, _ISO_FORMAT, unit)


def _formatted(column: str, *, time_format: str, unit: _Unit) -> pl.Expr:
    return _epoch(pl.col(column).cast(pl.String), time_format, unit)


def _epoch(text: pl.Expr, time_format: str, unit: _Unit) -> pl.Expr:
    """Return text as units since 1970, null where it has more digits than the unit or is no date.

    Nanoseconds reach from 1677 to 2262; polars wraps around silently beyond.
    """
    parsed = {
        each: text.str.to_datetime(time_format, time_unit=each, strict=False).dt.epoch(each)
        for each in _DIGITS
    }
    exact = ~text.str.contains(rf"\.\d{{{_DIGITS[unit]}}}\d*[1-9]")
    if unit == "ns":
        exact &= parsed["ns"] // 1000 == parsed["us"]
    return pl.when(exact).then(parsed[unit])


def _checked(time_format: str) -> str:
    """Return a format of Python as polars writes it.

    Raises `UsageError` unless a date that is written in it is read back, and for the parts that
    polars would misread: it takes ``%f`` for a number of nanoseconds, and passes over ``%Z``.

    >>> _checked("%Y-%m-%d %H:%M:%S.%f")
    '%Y-%m-%d %H:%M:%S%.f'
    """
    shown = time_format[:40]
    made = _FRACTION.sub(lambda part: "%.f" if part[0] == ".%f" else part[0], time_format)
    misread = _MISREAD.search(made.replace("%%", ""))
    if misread is not None and misread[0].endswith("Z"):
        raise UsageError(
            f"--time-format {shown!r} has %Z, but the name of a zone tells no offset; write "
            "offsets such as -0800 in the file, and %z"
        )
    if misread is not None:
        raise UsageError(
            f"--time-format {shown!r} has %f without a point, but a fraction of seconds follows "
            "one; write it as %d.%m.%Y %H:%M:%S.%f"
        )
    _check_date(made, shown)
    return made


def _check_date(time_format: str, shown: str) -> None:
    """Raise `UsageError` unless a date that is written in the format is read back."""
    day = datetime(2024, 5, 17, 22, 10, 1, tzinfo=UTC)
    try:
        written = pl.Series([day]).dt.strftime(time_format)
        found = written.str.to_datetime(time_format, time_unit="us", strict=False)
        fine = found.dt.date().to_list() == [day.date()]
    except pl.exceptions.PolarsError:
        fine = False
    if not fine:
        raise UsageError(
            f"--time-format {shown!r} does not read a full date; write it as "
            "%d.%m.%Y %H:%M:%S, with hours and minutes together or neither"
        )
