"""Check the arguments of the Python API: paths, numbers, texts, histories; each fault is a line."""

from __future__ import annotations

import errno
import operator
import os
from collections.abc import Iterable, Mapping, Set
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

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
    if not is_written(text):  # bytes that are no text are surrogates here
        raise UsageError(f"{name}={text!r}: has characters that no file name can hold")
    try:
        os.lstat(text)
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


def as_flag(value: Any, name: str) -> bool:
    """Return `value` as a bool, or raise `UsageError` for what only counts as one.

    >>> as_flag("no", "keep_history")
    Traceback (most recent call last):
    solidrec.errors.UsageError: keep_history='no': give True or False
    """
    if not isinstance(value, bool | np.bool_):
        raise UsageError(f"{name}={value!r}: give True or False")
    return bool(value)


def as_share(value: Any, name: str) -> float:
    """Return `value` as a float from 0 to 1, or raise `UsageError`.

    >>> as_share("x", "max_unusable")
    Traceback (most recent call last):
    solidrec.errors.UsageError: max_unusable='x': give a share from 0 to 1
    """
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise UsageError(f"{name}={value!r}: give a share from 0 to 1")
    return float(value)


def as_text(value: Any, name: str) -> str:
    """Return `value` if it is a text that a file can hold, or raise `UsageError`.

    >>> as_text(5, "name")
    Traceback (most recent call last):
    solidrec.errors.UsageError: name=5: give a text
    """
    if not isinstance(value, str):
        raise UsageError(f"{name}={value!r}: give a text")
    if not is_written(value):
        raise UsageError(f"{name}={value!r}: has characters that no file can hold")
    return value


def is_written(text: str) -> bool:
    """Return whether a text is Unicode: half of a pair of surrogates cannot be written.

    >>> is_written("cafe"), is_written(chr(0xD800))
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_texts(value: Any, name: str) -> tuple[str, ...]:
    """Return several texts as a tuple, or raise `UsageError`; one text alone is no list.

    >>> as_texts("title", "text_columns")
    Traceback (most recent call last):
    solidrec.errors.UsageError: text_columns='title': give a list of texts
    """
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise UsageError(f"{name}={value!r}: give a list of texts")
    return tuple(as_text(one, name) for one in value)


def as_mapping(value: Any, name: str) -> dict[str, Any]:
    """Return a mapping from texts as a dict, empty for None, or raise `UsageError`.

    >>> as_mapping(5, "columns")
    Traceback (most recent call last):
    solidrec.errors.UsageError: columns=5: give a dictionary whose keys are texts
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise UsageError(f"{name}={value!r}: give a dictionary whose keys are texts")
    return dict(value)


def as_histories(value: Any) -> list[list[str]]:
    """Return several histories, each as `as_history` does.

    Raises `UsageError` for what is no list of histories too, such as a table.
    """
    if hasattr(type(value), "columns"):
        raise UsageError(
            f"histories is a {type(value).__name__}: give a list of histories, each a list of ids, "
            "for example a column of lists"
        )
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
