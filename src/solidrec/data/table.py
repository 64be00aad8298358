"""A table as read, the places of its rows, and its errors in one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import polars as pl

from solidrec.data.files import readable
from solidrec.errors import DataError

_EVERY = "every column"


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
    of which this one is made. `fault` looks for the line that makes a file unreadable.
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
    fault: Callable[[], str | None] | None = None

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
        except DataError as error:
            for part in self.parts:  # the broken one is to be named
                part.collect(pl.all().is_null().sum())
            if self.fault is not None and (fault := self.fault()) is not None:
                raise DataError(
                    f"{fault}; repair the line, or quote what holds a separator"
                ) from error
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
