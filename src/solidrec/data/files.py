"""Read files as bytes or as text: unpacked, decoded strictly, and every error in one line."""

from __future__ import annotations

import codecs
import gzip
import io
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


@contextmanager
def readable(name: str) -> Iterator[None]:
    """Turn errors of polars and of the file system into one-line errors that name the file."""
    try:
        yield
    except pl.exceptions.PolarsError as error:
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
    """Return text as valid UTF-8, the file itself or its decoded bytes, and notes about it."""
    try:
        "".encode(encoding)
        codec = codecs.lookup(encoding)
    except LookupError as error:
        raise UsageError(
            f"unknown encoding {encoding!r}; try utf-8, latin-1, cp1252 or utf-16"
        ) from error
    plain = path.suffix != ".gz" and codec.name in ("utf-8", "utf-8-sig")
    kept = io.BytesIO()
    decoder = codec.incrementaldecoder()
    offset, last = 0, ""
    for block in read_blocks(path):
        text = _decode(decoder, block, path, offset, encoding)
        offset += len(block)
        last = text or last
        if not plain:
            kept.write(text.encode())
    kept.write(_decode(decoder, b"", path, offset, encoding, final=True).encode())
    kept.seek(0)
    notes = (
        ()
        if last.endswith(("\n", "\r"))
        else (f"{path.name}: the last line has no line end; make sure that it is whole",)
    )
    return (path if plain else kept), notes


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
