"""Read JSON lines exactly: numbers keep the digits they are written with, and every error names its line."""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl

from solidrec.errors import DataError

MAX_LINE = 1 << 20


class _Int(str):
    """An integer as written."""

    __slots__ = ()


class _Float(str):
    """A number with a point or an exponent, as written."""

    __slots__ = ()


def read_jsonl(stream: io.BufferedIOBase, name: str) -> tuple[pl.DataFrame, dict[str, dict[str, int]]]:
    """Return a frame of strings and lists of strings, and the kinds of value each column holds with their first line.

    Nested objects have no column. Raises `DataError` naming the line for anything that is not one JSON object,
    a repeated key, a NaN or a line over 1 MB.
    """
    columns: dict[str, list[Any]] = {}
    kinds: dict[str, dict[str, int]] = {}
    rows = 0
    while line := stream.readline(MAX_LINE + 1):
        rows += 1
        for key, value in _record(line, f"{name}:{rows}").items():
            kind = _kind(value)
            if kind == "null":
                continue
            kinds.setdefault(key, {}).setdefault(kind, rows)
            column = columns.setdefault(key, [])
            column.extend([None] * (rows - 1 - len(column)))
            column.append(value)
    for column in columns.values():
        column.extend([None] * (rows - len(column)))
    return pl.DataFrame([_series(key, column, kinds[key]) for key, column in columns.items()]), kinds


def _record(line: bytes, where: str) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise DataError(f"{where}: line is longer than {MAX_LINE:,} B; write one JSON object a line")
    try:
        record = json.loads(line, parse_int=_Int, parse_float=_Float, parse_constant=_refuse, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: is not valid JSON ({error}); write one JSON object a line") from error
    if not isinstance(record, dict):
        raise DataError(f"{where}: is not a JSON object; write one JSON object a line")
    return record


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"key {next(key for key in keys if keys.count(key) > 1)!r} occurs twice")
    return record


def _kind(value: Any) -> str:
    names = {_Int: "integer", _Float: "number", str: "text", bool: "true/false", list: "list", dict: "object"}
    return names.get(type(value), "null")


def _series(name: str, column: list[Any], kinds: dict[str, int]) -> pl.Series:
    if "list" not in kinds:
        return pl.Series(name, [None if value is None else _string(value) for value in column], dtype=pl.String)
    lists = [None if value is None else _flat(value) for value in column]
    return pl.Series(name, lists, dtype=pl.List(pl.String))


def _flat(value: Any) -> list[str]:
    """Return a value or a list, nested to any depth, as one list of strings."""
    if not isinstance(value, list):
        return [_string(value)]
    return [part for item in value if item is not None for part in _flat(item)]


def _string(value: Any) -> str:
    return value if type(value) is str else str.__str__(value) if isinstance(value, str) else json.dumps(value)
