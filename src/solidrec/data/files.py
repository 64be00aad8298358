"""Read files as bytes or as text: unpacked, decoded strictly, and every error in one line."""

from __future__ import annotations

import codecs
import errno
import gzip
import io
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from solidrec.errors import DataError, StorageError, UsageError

_BLOCK = 1 << 20
_MAX_EXPANSION = 100
_SMALL = 1 << 30
_TAIL = 1 << 12
_LONG = 4096
_BLANK_END = re.compile(r"\n((?: *\r?\n)+ *| +)\Z")
_NO_CHARACTER_SETS = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape"}


def kind_of(path: Path) -> str:
    """Return what a path leads to: ``file``, or words that say what it is instead.

    Raises `StorageError` for a path that cannot be one, such as a name that is too long.
    """
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ELOOP:
            return "no such file, but a link that leads to itself"
        reason = getattr(error, "strerror", None) or error
        raise StorageError(f"{shown(path)}: is no path ({reason}); check the path") from error
    if stat.S_ISREG(mode):
        return "file"
    return "is a folder, a file is needed" if stat.S_ISDIR(mode) else "is not a regular file"


def shown(path: Path | str) -> str:
    """Return a path for a message, cut if it is very long.

    >>> shown("a" * 5000) == "a" * 200 + "..."
    True
    """
    text = str(path)
    return text if len(text) <= _LONG else f"{text[:200]}..."


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn errors of polars and of the file system into one-line errors that name the file."""
    try:
        yield
    # a damaged parquet file can also make polars panic, which is no `Exception`
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".:")
        raise DataError(
            f"{name}: cannot be read ({reason}); repair the file or export it again"
        ) from error
    except OSError as error:
        raise StorageError(
            f"{name}: cannot be read ({error.strerror or error}); check the path and its "
            "permissions"
        ) from error


def read_text(path: Path, encoding: str) -> tuple[Path | io.BytesIO, tuple[str, ...]]:
    """Return text as valid UTF-8, the file itself or its decoded bytes, and notes about it.

    Blank last lines are left out.
    """
    codec = _codec(encoding)
    plain = path.suffix != ".gz" and codec.name in ("utf-8", "utf-8-sig")
    kept = io.BytesIO()
    decoder = codec.incrementaldecoder()
    offset, end = 0, ""
    for block in read_blocks(path):
        text = _decode(decoder, block, path, offset, encoding)
        offset += len(block)
        end = (end + text)[-_TAIL:]
        if not plain:
            kept.write(text.encode())
    text = _decode(decoder, b"", path, offset, encoding, final=True)
    end += text
    kept.write(text.encode())
    if blank := _BLANK_END.search(end):
        if plain:
            kept.write(path.read_bytes())
            plain = False
        kept.truncate(kept.tell() - len(blank[1].encode()))
    kept.seek(0)
    notes = (
        ()
        if end.endswith(("\n", "\r")) or blank
        else (f"{path.name}: the last line has no line end; make sure that it is whole",)
    )
    return (path if plain else kept), notes


def _codec(encoding: str) -> codecs.CodecInfo:
    """Return the codec of a character set; raise `UsageError` for any other."""
    try:
        "".encode(encoding)
        codec = codecs.lookup(encoding)
    except (LookupError, ValueError):
        codec = None
    if codec is None or codec.name.replace("_", "-") in _NO_CHARACTER_SETS:
        raise UsageError(
            f"unknown encoding {encoding[:40]!r}; try utf-8, latin-1, cp1252 or utf-16"
        )
    return codec


def _decode(
    decoder: codecs.IncrementalDecoder,
    block: bytes,
    path: Path,
    offset: int,
    encoding: str,
    *,
    final: bool = False,
) -> str:
    pending = decoder.getstate()[0]
    try:
        return decoder.decode(block, final)
    except UnicodeDecodeError as error:
        byte = offset - len(pending) + error.start
        guess = "utf-16" if byte == 0 and block[:2] in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
        raise DataError(
            f"{path}: byte {byte:,} is not valid {encoding} ({error.reason}); name the file's "
            f"encoding, e.g. --encoding {guess}"
        ) from error


def read_blocks(path: Path) -> Iterator[bytes]:
    """Yield a file's bytes in blocks, decompressed if it ends in .gz.

    Raises `DataError` if it unpacks to over `_SMALL` bytes and `_MAX_EXPANSION` times its size.
    """
    packed = path.suffix == ".gz"
    limit, total = max(_SMALL, _MAX_EXPANSION * path.stat().st_size), 0
    with readable(str(path)), path.open("rb") as raw:
        stream = gzip.GzipFile(fileobj=raw) if packed else raw
        while block := _unpack(stream, path):
            total += len(block)
            if packed and total > limit:
                raise DataError(
                    f"{path}: unpacks to more than {limit:,} B; a file like this is damaged or "
                    "hostile"
                )
            yield block


def _unpack(stream: Any, path: Path) -> bytes:
    try:
        return bytes(stream.read(_BLOCK))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: is not a whole gzip file ({error}); copy it again") from error
