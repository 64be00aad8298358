"""Read tables as they are: csv, tsv, jsonl (also .gz), parquet, or a polars or pandas DataFrame.

No reader guesses a type. Text formats give strings exactly as written, so the ids ``007``,
``NA``, ``1e5`` and 2^63 + 1 survive; parquet and DataFrames keep their types, and `columns`
decides which of these can be ids.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from solidrec.data.csv_text import (
    broken_record,
    record_lines,
    repeated_names,
    separator_of,
    sniffed,
)
from solidrec.data.files import kind_of, read_text, shown
from solidrec.data.frames import frame_of
from solidrec.data.jsonl import read_jsonl
from solidrec.data.table import Place, Table
from solidrec.errors import DataError, StorageError, UsageError
from solidrec.registry import Registry

_QUOTES = {".csv": '"', ".tsv": None, ".inter": None, ".item": None}
_MAX_EXPANSION = 100


def read_table(source: Any, *, encoding: str = "utf-8", delimiter: str | None = None) -> Table:
    """Open a path or a DataFrame as a `Table`; text is decoded strictly as `encoding`.

    With a `delimiter`, files of unknown types are delimited text too.

    Raises `StorageError` for a path that is no regular file, `UsageError` for an unknown format or
    encoding and for objects that are no table, and `DataError` for content that is empty, truncated
    or not in that encoding.
    """
    if not isinstance(source, str | Path):
        return Table(*frame_of(source))
    path = Path(source)
    kind = kind_of(path)
    if kind != "file":
        raise StorageError(f"{shown(path)}: {kind}; check the path")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty; give a file with a header and rows")
    suffix = _suffix(path)
    if delimiter is not None and (suffix in _QUOTES or suffix not in list(READERS)):
        return read_delimited(
            path,
            separator=separator_of(delimiter),
            quote=_QUOTES.get(suffix, '"'),
            encoding=encoding,
        )
    return _reader(path)(path, encoding)


def _suffix(path: Path) -> str:
    return (path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix).lower()


def _reader(path: Path) -> Callable[[Path, str], Table]:
    suffix = _suffix(path)
    # a suffix is compared with the registered ones: one with a colon must not be taken for a place
    if suffix not in list(READERS) or (path.suffix == ".gz" and suffix == ".parquet"):
        raise UsageError(
            f"{path}: unknown file type {path.suffix!r}; give one of {', '.join(READERS)} (text "
            "also as .gz), say --delimiter for delimited text, or give a DataFrame"
        )
    return READERS[suffix]


def read_delimited(
    path: Path,
    *,
    separator: str,
    quote: str | None,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
) -> Table:
    """Open delimited text as a `Table` of strings; without a header, `columns` names the fields."""
    content, notes = read_text(path, encoding)
    return _delimited(path, content, notes, separator=separator, quote=quote, columns=columns)


def _delimited(
    path: Path,
    content: Path | io.BytesIO,
    notes: tuple[str, ...],
    *,
    separator: str,
    quote: str | None,
    columns: Sequence[str] | None = None,
) -> Table:
    schema = None if columns is None else dict.fromkeys(columns, pl.String)
    header = columns is None
    frame = pl.scan_csv(
        content.absolute() if isinstance(content, Path) else content,
        separator=separator,
        quote_char=quote,
        has_header=header,
        schema=schema,
        infer_schema=False,
        glob=False,
    )

    def locate(rows: Sequence[int]) -> list[Place]:
        lines = record_lines(content, rows, header=header)
        return [Place(str(path), line) for line in lines]

    def fault() -> str | None:
        found = broken_record(content, separator, quote)
        return None if found is None else f"{path}:{found[0]}: {found[1]}"

    return Table(
        frame,
        str(path),
        first_row=1 + header,
        notes=notes,
        delimited=True,
        repeated=repeated_names(content, separator, quote) if header else frozenset(),
        locate=None if quote is None else locate,
        fault=fault,
    )


def _csv(path: Path, encoding: str) -> Table:
    """Open comma-separated text, or text that is plainly separated by another character."""
    content, notes = read_text(path, encoding)
    separator = sniffed(content)
    if separator != ",":
        notes = (*notes, f"{path.name}: fields are taken as separated by {separator!r}")
    return _delimited(path, content, notes, separator=separator, quote='"')


def _tsv(path: Path, encoding: str) -> Table:
    """Open tab-separated text without quoting, since a title may hold a lone quotation mark."""
    return read_delimited(path, separator="\t", quote=None, encoding=encoding)


def _jsonl(path: Path, encoding: str) -> Table:
    content, notes = read_text(path, encoding)
    with path.open("rb") if isinstance(content, Path) else content as stream:
        frame, kinds = read_jsonl(stream, str(path))
    places = {
        column: {kind: f"{path}:{row}" for kind, row in rows.items()}
        for column, rows in kinds.items()
    }
    return Table(frame.lazy(), str(path), kinds=places, notes=notes)


def _parquet(path: Path, encoding: str) -> Table:
    table = Table(pl.scan_parquet(path.absolute(), glob=False), str(path))
    rows = int(table.collect(pl.len()).item())
    if rows > max(10_000_000, _MAX_EXPANSION * path.stat().st_size):
        raise DataError(
            f"{path}: claims {rows:,} rows in {path.stat().st_size:,} B; a file like this is "
            "damaged or hostile"
        )
    return table


READERS: Registry[Callable[[Path, str], Table]] = Registry(
    "reader",
    "solidrec.readers",
    {
        ".csv": _csv,
        ".tsv": _tsv,
        ".inter": _tsv,
        ".item": _tsv,
        ".jsonl": _jsonl,
        ".ndjson": _jsonl,
        ".json": _jsonl,
        ".parquet": _parquet,
    },
)
"""Readers by the suffix of a file: functions from a path and an encoding to a `Table`."""
