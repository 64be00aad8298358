"""Read JSON lines exactly: numbers keep their digits as written, and every error names its line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, islice
from types import NoneType
from typing import Any

import polars as pl

from solidrec.errors import DataError

MAX_LINE = 1 << 20
CHUNK = 1 << 16
_Kinds = dict[str, dict[str, int]]


class _Int(str):
    """An integer as written."""

    __slots__ = ()


class _Float(str):
    """A number with a point or an exponent, as written."""

    __slots__ = ()


_KINDS = {
    _Int: "integer",
    _Float: "number",
    str: "text",
    bool: "true/false",
    list: "list",
    dict: "object",
}


def read_jsonl(stream: io.BufferedIOBase, name: str) -> tuple[pl.DataFrame, _Kinds]:
    """Return a frame of strings and lists of strings, and the kinds of value in each column.

    Each kind comes with the first line that has it. Nested objects become their text. Raises
    `DataError` naming the line for anything that is not one JSON object, a repeated key, a NaN or a
    line over 1 MB. Python objects are held for only `CHUNK` lines at a time.
    """
    kinds: _Kinds = {}
    parts: dict[str, list[pl.Series]] = {}
    rows = 0
    lines = iter(lambda: stream.readline(MAX_LINE + 1), b"")
    while records := [
        json_record(line, name, row)
        for row, line in enumerate(islice(lines, CHUNK), start=rows + 1)
    ]:
        for column in _columns(records, name, rows + 1, kinds):
            parts[column.name] = [*_filled(parts.get(column.name, []), rows), column]
        rows += len(records)
    joined = [
        _joined(_filled(parts[key], rows), lists="list" in kinds[key]).alias(key) for key in parts
    ]
    return pl.DataFrame(joined), kinds


def json_record(line: bytes, name: str, row: int) -> dict[str, Any]:
    """Return the JSON object of a line, with its numbers as strings exactly as written.

    Raises `DataError` naming the line.
    """
    if len(line) > MAX_LINE:
        raise DataError(
            f"{name}:{row}: line is longer than {MAX_LINE:,} B; write one JSON object a line"
        )
    try:
        record = _DECODER.decode(line.decode().removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{name}:{row}: is not valid JSON ({error}); write one JSON object a line"
        ) from error
    if not isinstance(record, dict):
        raise DataError(f"{name}:{row}: is not a JSON object; write one JSON object a line")
    return record


def exact_series(
    make: Callable[[list[Any]], pl.Series], values: list[Any], name: str, first_row: int
) -> pl.Series:
    """Return the series that `make` gives for the values of a column, a value a line.

    Raises `DataError` naming the line of a value that no series can hold: half a character (a lone
    surrogate, where a text was cut), or lists that are nested too deep.
    """
    try:
        return make(values)
    except (UnicodeEncodeError, RecursionError) as error:
        row = next((row for row, value in enumerate(values) if not _fits(make, value)), 0)
        cut = isinstance(error, UnicodeEncodeError)
        what = "text with half a character" if cut else "lists that are nested too deep"
        raise DataError(
            f"{name}:{first_row + row}: holds {what}; repair or remove the value"
        ) from error


def _fits(make: Callable[[list[Any]], pl.Series], value: Any) -> bool:
    if value is None:  # a name of half a character is that of the other lines
        return True
    try:
        make([value])
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _columns(
    records: list[dict[str, Any]], name: str, first_row: int, kinds: _Kinds
) -> Iterator[pl.Series]:
    """Yield the columns of some records that hold any value, and add new kinds to `kinds`."""
    for key in dict.fromkeys(chain.from_iterable(records)):
        column = [record.get(key) for record in records]
        types = list(map(type, column))
        found = sorted((types.index(kind), _KINDS[kind]) for kind in set(types) - {NoneType})
        for place, kind in found:
            kinds.setdefault(key, {}).setdefault(kind, first_row + place)
            if kind == "list":
                _note_parts(column, first_row, kinds[key])
        if found:
            made = partial(_series, key, kinds={kind for _, kind in found})
            yield exact_series(made, column, name, first_row)


def _note_parts(column: list[Any], first_row: int, kinds: dict[str, int]) -> None:
    """Add what the lists of a column hold to its `kinds`, as "list of text" and the like."""
    for row, value in enumerate(column, start=first_row):
        if isinstance(value, list):
            for kind in sorted(_KINDS.get(part, "null") for part in set(map(type, value))):
                kinds.setdefault(f"list of {kind}", row)


def _filled(parts: list[pl.Series], rows: int) -> list[pl.Series]:
    """Pad the parts of a column with nulls to `rows` rows."""
    return [*parts, pl.repeat(None, rows - sum(map(len, parts)), dtype=pl.String, eager=True)]


def _joined(parts: list[pl.Series], *, lists: bool) -> pl.Series:
    """Join the parts of a column; with `lists`, a single value becomes a list of one."""
    if lists:
        one = pl.when(pl.first().is_not_null()).then(pl.concat_list(pl.first()))
        parts = [
            part if part.dtype == pl.List else part.to_frame().select(one).to_series()
            for part in parts
        ]
    return pl.concat([part.alias("") for part in parts])


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice")
    return record


def _series(name: str, column: list[Any], kinds: set[str]) -> pl.Series:
    if "list" in kinds:
        return pl.Series(
            name,
            [None if value is None else _flat(value) for value in column],
            dtype=pl.List(pl.String),
        )
    if not kinds <= {"text", "integer", "number"}:
        column = [None if value is None else _string(value) for value in column]
    return pl.Series(name, column, dtype=pl.String)


def _flat(value: Any) -> list[str | None]:
    """Return a value, or a list nested to any depth, as one flat list of strings and nulls."""
    if not isinstance(value, list):
        return [None if value is None else _string(value)]
    return [part for item in value for part in _flat(item)]


def _string(value: Any) -> str:
    return (
        value
        if type(value) is str
        else str.__str__(value)
        if isinstance(value, str)
        else json.dumps(value)
    )


# `json.loads` with options builds a decoder in each call, which takes as long as a short line
_DECODER = json.JSONDecoder(
    parse_int=_Int, parse_float=_Float, parse_constant=_refuse, object_pairs_hook=_unique
)
