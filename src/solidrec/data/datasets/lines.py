"""Read files of one record a line, and keep only the wanted fields to save memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from solidrec.data.datasets.raw import ITEMS
from solidrec.data.files import read_blocks
from solidrec.data.jsonl import CHUNK, MAX_LINE, exact_series
from solidrec.data.table import Table
from solidrec.errors import DataError

Record = dict[str, Any]
_Parse = Callable[[bytes, str, int], Record]
_Pick = Callable[[Record], tuple[Any, ...]]


def read_lines(path: Path, parse: _Parse, pick: _Pick, schema: Mapping[str, pl.DataType]) -> Table:
    """Return the fields that `pick` takes from every line, as the columns of `schema`.

    `parse` gets a line, the file's name and the line's number. Python objects are held for only
    `CHUNK` lines at a time. Raises `DataError` as `parse` does, and for an empty file.
    """
    parts, done = [], 0
    numbered = enumerate(_split_lines(path), start=1)
    while rows := [
        _picked(parse(line, str(path), row), pick, path, row)
        for row, line in islice(numbered, CHUNK)
    ]:
        columns = zip(schema.items(), zip(*rows, strict=True), strict=True)
        made = [
            exact_series(partial(pl.Series, column, dtype=dtype), list(values), str(path), done + 1)
            for (column, dtype), values in columns
        ]
        parts.append(pl.DataFrame(made))
        done += len(rows)
    if not parts:
        raise DataError(f"{path}: is empty; download it again")
    return Table(pl.concat(parts).lazy(), str(path))


def _picked(record: Record, pick: _Pick, path: Path, row: int) -> tuple[Any, ...]:
    try:
        return pick(record)
    except RecursionError as error:
        raise DataError(
            f"{path}:{row}: lists are nested too deep to be data; remove the line"
        ) from error


def read_item_lines(path: Path, parse: _Parse, pick: _Pick) -> Table:
    """Return the items of a metadata file, by the first record of each, since some are repeated.

    Raises `DataError` as `read_lines` does, and for a record without an item id.
    """
    table = read_lines(path, parse, pick, ITEMS)
    frame = table.frame.collect()
    unnamed = frame["item_id"].is_null().arg_true()
    if len(unnamed):
        raise DataError(
            f"{path}:{unnamed[0] + 1}: {len(unnamed):,} records have no item id; remove them"
        )
    once = frame.unique("item_id", keep="first", maintain_order=True)
    repeats = len(frame) - len(once)
    notes = (
        (f"{path.name}: {repeats:,} records repeat an item; the first of each counts",)
        if repeats
        else ()
    )
    return replace(table, frame=once.lazy(), notes=notes)


def _split_lines(path: Path) -> Iterator[bytes]:
    """Yield a file's lines, unpacked; an overlong one comes cut and last, for `parse` to refuse."""
    rest = b""
    for block in read_blocks(path):
        *whole, rest = (rest + block).split(b"\n")
        yield from whole
        if len(rest) > MAX_LINE:
            break
    if rest:
        yield rest


def identifier(value: Any) -> str | None:
    """Return an id exactly as written, or None for a value that is no string or JSON number."""
    return str(value) if isinstance(value, str) else None


def text(value: Any) -> str | None:
    """Return a value or a list of paragraphs as one text; None for an object or an empty list.

    >>> text(["one", "two"]), text({"a": 1}), text([])
    ('one two', None, None)
    """
    if isinstance(value, list | tuple):
        return " ".join(labels(value)) or None
    return None if value is None or isinstance(value, dict) else str(value)


def labels(value: Any) -> list[str]:
    """Return the strings of a value, or of lists nested to any depth.

    >>> labels([["Books", "Art"], ["Books"]])
    ['Books', 'Art', 'Books']
    """
    if isinstance(value, list | tuple):
        return [label for part in value for label in labels(part)]
    return [] if value is None or isinstance(value, dict) else [str(value)]


def first(value: Any) -> Any:
    """Return the first entry of a list (None if it is empty), and any other value unchanged."""
    return (value[0] if value else None) if isinstance(value, list | tuple) else value
