"""Check the arguments of the Python API: paths, counts, histories; a wrong one is one line."""

from __future__ import annotations

import errno
import operator
import os
from collections.abc import Iterable, Mapping, Set
from numbers import Integral
from pathlib import Path
from typing import Any

from solidrec.errors import StorageError, UsageError


def as_path(value: Any, name: str) -> Path:
    """Return `value` as a path.

    Raises `UsageError` unless it is a non-empty text or a `pathlib.Path`, and `StorageError` for
    names that no file system takes.

    >>> as_path(None, "run")
    Traceback (most recent call last):
    solidrec.errors.UsageError: run=None: give a path, as text or as pathlib.Path
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise UsageError(f"{name}={value!r}: give a path, as text or as pathlib.Path")
    text = os.fspath(value)
    if not text or "\0" in text:
        raise UsageError(f"{name}={text!r}: is no path; give the name of a file or a folder")
    try:
        text.encode()  # bytes that are no text are surrogates here, which not every reader takes
        os.lstat(text)
    except UnicodeEncodeError:
        raise UsageError(f"{name}={text!r}: has characters that no file name can hold") from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise StorageError(
                f"{text[:60]}...: {name} is a name of {len(text):,} characters, too long for a "
                "file; choose a shorter one"
            ) from None
    return Path(text)


def as_count(value: Any, name: str) -> int:
    """Return `value` as an int of at least 1, or raise `UsageError`.

    >>> as_count(2.5, "k")
    Traceback (most recent call last):
    solidrec.errors.UsageError: k=2.5: give a whole number, 1 or more
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or operator.index(value) < 1:
        raise UsageError(f"{name}={value!r}: give a whole number, 1 or more")
    return operator.index(value)


def as_histories(value: Any) -> list[list[str]]:
    """Return several histories, each as `as_history` does.

    Raises `UsageError` for what is no list of histories too.
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise UsageError(f"histories {value!r}: give a list of histories, each a list of ids")
    return [as_history(history) for history in value]


def as_history(value: Any, name: str = "history") -> list[str]:
    """Return a history of item ids, oldest first, as a list of strings.

    Lists, arrays, series and other ordered iterables of texts or integers are taken. Raises
    `UsageError` for what has no order (a set), for a text or bytes, whose letters would be read as
    ids, for a table, and for ids of another type.

    >>> as_history(["i1", 7])
    ['i1', '7']
    >>> as_history({"i1", "i2"})
    Traceback (most recent call last):
    solidrec.errors.UsageError: history is a set: give a list of item ids, oldest first
    """
    flat = getattr(value, "ndim", 1) == 1  # of arrays, series and tables
    unordered = isinstance(value, str | bytes | bytearray | Set | Mapping)
    if unordered or not flat or hasattr(value, "columns") or not isinstance(value, Iterable):
        shown = (
            repr(value) if isinstance(value, str | int | None) else f"is a {type(value).__name__}"
        )
        example = f", for example [{value!r}]" if isinstance(value, str | int) else ""
        raise UsageError(f"{name} {shown}: give a list of item ids, oldest first{example}")
    items = list(value)
    if set(map(type, items)) <= {str}:
        return items
    for place, item in enumerate(items):
        if isinstance(item, bool) or not isinstance(item, str | Integral):
            raise UsageError(
                f"{name}[{place}] is {item!r}, of type {type(item).__name__}: ids are texts or "
                "integers"
            )
    return [str(item) for item in items]
