"""Read tables as they are: csv, tsv, jsonl (also .gz), parquet, or a polars or pandas DataFrame.

No reader guesses a type. Text formats give strings exactly as written, so the ids ``007``,
``NA``, ``1e5`` and 2^63 + 1 survive; parquet and DataFrames keep their types, and `columns`
decides which of these can be ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import polars as pl

from solidrec.data.files import read_text, readable
from solidrec.data.frames import frame_of
from solidrec.data.jsonl import read_jsonl
from solidrec.errors import DataError, StorageError, UsageError
from solidrec.registry import Registry

_EVERY = "every column"
_MAX_EXPANSION = 100


@final
@dataclass(frozen=True)
class Table:
    """A table as read; `name` and `first_row`, the file row of its first record, locate its rows.

    `kinds` holds, for json only, the kinds of value in each column and the file row where each was
    first seen. `delimited` marks csv and the like: polars notices a row with too many fields only
    if every column is read.
    """

    frame: pl.LazyFrame
    name: str
    first_row: int = 1
    kinds: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    delimited: bool = False

    @property
    def columns(self) -> list[str]:
        """The names of the columns; raises `DataError` if the file cannot be read."""
        with readable(self.name):
            return self.frame.collect_schema().names()

    def dtype(self, column: str) -> Any:
        """Return the polars type of a column."""
        with readable(self.name):
            return self.frame.collect_schema()[column]

    def collect(
        self, *columns: pl.Expr, then: Callable[[pl.LazyFrame], pl.LazyFrame] = lambda frame: frame
    ) -> pl.DataFrame:
        """Read the given columns into memory, or the result of applying `then` to them.

        `then` must keep all other columns. Raises `DataError` naming the file if it is broken.
        """
        every = [pl.all_horizontal(pl.all().is_null()).alias(_EVERY)] if self.delimited else []
        with readable(self.name):
            return (
                then(self.frame.select(*columns, *every))
                .collect(engine="streaming")
                .drop(_EVERY, strict=False)
            )


def read_table(source: Any, *, encoding: str = "utf-8") -> Table:
    """Open a path or a DataFrame as a `Table`; text is decoded strictly as `encoding`.

    Raises `StorageError` for a path that is no regular file, `UsageError` for an unknown format or
    encoding and for objects that are no table, and `DataError` for content that is empty, truncated
    or not in that encoding.
    """
    if not isinstance(source, str | Path):
        return Table(*frame_of(source))
    path = Path(source)
    if not path.is_file():
        what = (
            "is a folder, a file is needed"
            if path.is_dir()
            else "is not a regular file"
            if path.exists()
            else "no such file"
        )
        raise StorageError(f"{path}: {what}; check the path")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty; give a file with a header and rows")
    return _reader(path)(path, encoding)


def _reader(path: Path) -> Callable[[Path, str], Table]:
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    # a suffix is compared with the registered ones: one with a colon must not be taken for a place
    if suffix.lower() not in list(READERS) or (path.suffix == ".gz" and suffix == ".parquet"):
        raise UsageError(
            f"{path}: unknown file type {path.suffix!r}; give one of {', '.join(READERS)} (text "
            "also as .gz) or a DataFrame"
        )
    return READERS[suffix.lower()]


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
    return Table(frame, str(path), first_row=1 + header, notes=notes, delimited=True)


def _csv(path: Path, encoding: str) -> Table:
    return read_delimited(path, separator=",", quote='"', encoding=encoding)


def _tsv(path: Path, encoding: str) -> Table:
    """Open tab-separated text without quoting, since a title may hold a lone quotation mark."""
    return read_delimited(path, separator="\t", quote=None, encoding=encoding)


def _jsonl(path: Path, encoding: str) -> Table:
    content, notes = read_text(path, encoding)
    with path.open("rb") if isinstance(content, Path) else content as stream:
        frame, kinds = read_jsonl(stream, str(path))
    return Table(frame.lazy(), str(path), kinds=kinds, notes=notes)


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
