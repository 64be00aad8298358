"""What delimited text looks like before polars reads it: separator, header, lines of records."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from solidrec.errors import UsageError

_SAMPLE = 1 << 16
_ROWS = 20
_OTHERS = (";", "\t", "|")
_SPELLED = {"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|"}
_BLOCK = 1 << 20
_NEWLINE = 10


def separator_of(name: str) -> str:
    r"""Return the separator that `name` spells; raise `UsageError` if it is no single character.

    >>> separator_of("tab"), separator_of("\\t"), separator_of(";")
    ('\t', '\t', ';')
    """
    separator = _SPELLED.get(name, name)
    if len(separator) != 1 or not separator.isascii() or separator in '\r\n"\0':
        raise UsageError(
            f"--delimiter {name[:20]!r} is not one character such as ';' or '|'; write a tab as tab"
        )
    return separator


def sniffed(content: Path | io.BytesIO) -> str:
    """Return the separator of a csv file: a comma, unless its first lines speak for another one.

    A separator fits if it cuts all of the first lines into the same number of fields, at least two.
    The comma goes first; of several others the one with the most fields is taken.
    """
    sample = _beginning(content)

    def fields(separator: str) -> int:
        rows = list(islice(csv.reader(sample, delimiter=separator), _ROWS))
        widths = {len(row) for row in rows if row}
        return widths.pop() if len(widths) == 1 else 0

    if fields(",") > 1:
        return ","
    best = max(_OTHERS, key=fields)
    return best if fields(best) > 1 else ","


def repeated_names(content: Path | io.BytesIO, separator: str, quote: str | None) -> frozenset[str]:
    """Return the names that a header has more than once."""
    lines = _beginning(content)
    rows = (
        csv.reader(lines, delimiter=separator, quoting=csv.QUOTE_NONE)
        if quote is None
        else csv.reader(lines, delimiter=separator, quotechar=quote)
    )
    header = next((row for row in rows if row), [])
    return frozenset(name for name, count in Counter(header).items() if count > 1)


def record_lines(content: Path | io.BytesIO, rows: Sequence[int], *, header: bool) -> list[int]:
    """Return the lines, from 1, at which the given records (from 0, without the header) begin.

    A record ends at a line end outside quotes, as polars has it, and blank first lines are skipped.
    """
    wanted = np.unique(np.asarray(rows, dtype=np.int64)) + header
    begins = {0: 1}
    blank = True
    records = lines = quotes = 0
    with _opened(content) as stream:
        while len(wanted) and records <= wanted[-1] and (block := stream.read(_BLOCK)):
            data = np.frombuffer(block, dtype=np.uint8)
            if blank:  # polars begins at the first line that is not blank
                skipped = len(block) - len(block.lstrip(b"\r\n"))
                lines += int(np.count_nonzero(data[:skipped] == _NEWLINE))
                data, blank = data[skipped:], skipped == len(block)
                begins[0] = lines + 1
            ends = data == _NEWLINE
            number = lines + np.cumsum(ends)
            inside = (quotes + np.cumsum(data == ord('"'))) % 2
            last = number[ends & (inside == 0)]
            here = wanted[(wanted > records) & (wanted <= records + len(last))]
            begins |= dict(zip(here.tolist(), (last[here - records - 1] + 1).tolist(), strict=True))
            records += len(last)
            lines = int(number[-1]) if len(number) else lines
            quotes = int(inside[-1]) if len(inside) else quotes
    return [begins[row + header] for row in rows]


def broken_record(
    content: Path | io.BytesIO, separator: str, quote: str | None
) -> tuple[int, str] | None:
    """Return the line and the fault of the first record that is broken, or None if none is found.

    That is one with more fields than the first, or a quote that is never closed.
    """
    quoting = {"quoting": csv.QUOTE_NONE} if quote is None else {"quotechar": quote}
    width, begin = 0, 1
    with _opened(content) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
        rows = csv.reader(text, delimiter=separator, strict=quote is not None, **quoting)
        try:
            for row in rows:
                width = width or len(row)
                if len(row) > width:
                    return begin, f"has {len(row)} fields, {width} are needed"
                begin = rows.line_num + 1
        except csv.Error:
            return begin, "has a quotation mark that is not closed, or text behind it"
        finally:
            text.detach()
    return None


def _beginning(content: Path | io.BytesIO) -> list[str]:
    """Return the first lines of a file, whole ones if it is longer than the sample."""
    with _opened(content) as stream:
        block = stream.read(_SAMPLE)
    text = block.decode("utf-8", errors="ignore").removeprefix("\ufeff")
    if len(block) == _SAMPLE:
        text = text.rpartition("\n")[0] or text
    return text.splitlines(keepends=True)


@contextmanager
def _opened(content: Path | io.BytesIO) -> Iterator[IO[bytes]]:
    """Open a file, or rewind bytes and leave them as they were."""
    if isinstance(content, Path):
        with content.open("rb") as stream:
            yield stream
        return
    at = content.tell()
    content.seek(0)
    try:
        yield content
    finally:
        content.seek(at)
