"""Read tables as they are: csv, tsv, jsonl (also .gz), parquet, or a polars or pandas DataFrame.

No reader guesses a type. Text formats give strings exactly as written, so the ids ``007``,
``NA``, ``1e5`` and 2^63 + 1 survive; parquet and DataFrames keep their types, and `columns`
decides which of these can be ids.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, final

import polars as pl

from solidrec.data.csv_text import record_lines, repeated_names, separator_of, sniffed
from solidrec.data.files import kind_of, read_text, readable, shown
from solidrec.data.frames import frame_of
from solidrec.data.jsonl import read_jsonl
from solidrec.errors import DataError, StorageError, UsageError
from solidrec.registry import Registry

_EVERY = "every column"
_QUOTES = {".csv": '"', ".tsv": None, ".inter": None, ".item": None}
_MAX_EXPANSION = 100


class Place(NamedTuple):
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@final
@dataclass(frozen=True)
class Table:
    """A table as read; `name` and `first_row`, the file row of its first record, locate its rows.

    `locate` does where a record may span lines or lie in one of several files. `kinds` holds, for
    json only, the kinds of value in each column and the place where each was first seen.
    `delimited` marks csv and the like: polars notices a row with too many fields only if every
    column is read. `repeated` are names that occur more than once in the header, `parts` the tables
    of which this one is made.
    """

    frame: pl.LazyFrame
    name: str
    first_row: int = 1
    kinds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    delimited: bool = False
    repeated: frozenset[str] = frozenset()
    locate: Callable[[Sequence[int]], list[Place]] | None = None
    parts: tuple[Table, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of the columns; raises `DataError` if the file cannot be read."""
        with readable(self.name):
            return self.frame.collect_schema().names()

    def dtype(self, column: str) -> Any:
        """Return the polars type of a column."""
        with readable(self.name):
            return self.frame.collect_schema()[column]

    def places(self, rows: Sequence[int]) -> list[Place]:
        """Return the file and line of the given records, which count from 0."""
        if self.locate is not None:
            return self.locate(rows)
        return [Place(self.name, row + self.first_row) for row in rows]

    def place(self, row: int) -> str:
        """Return the place of a record for messages, as in ``log.csv:7``."""
        return str(self.places([row])[0])

    def collect(
        self, *columns: pl.Expr, then: Callable[[pl.LazyFrame], pl.LazyFrame] = lambda frame: frame
    ) -> pl.DataFrame:
        """Read the given columns into memory, or the result of applying `then` to them.

        `then` must keep all other columns. Raises `DataError` naming the file if it is broken.
        """
        try:
            return self._collected(columns, then)
        except DataError:
            for part in self.parts:  # the broken one is to be named
                part.collect(pl.all().is_null().sum())
            raise

    def _collected(
        self, columns: tuple[pl.Expr, ...], then: Callable[[pl.LazyFrame], pl.LazyFrame]
    ) -> pl.DataFrame:
        every = [pl.all_horizontal(pl.all().is_null()).alias(_EVERY)] if self.delimited else []
        with readable(self.name):
            return (
                then(self.frame.select(*columns, *every))
                .collect(engine="streaming")
                .drop(_EVERY, strict=False)
            )


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
        content,
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

    return Table(
        frame,
        str(path),
        first_row=1 + header,
        notes=notes,
        delimited=True,
        repeated=repeated_names(content, separator, quote) if header else frozenset(),
        locate=None if quote is None else locate,
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
    table = Table(pl.scan_parquet(path, glob=False), str(path))
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
