"""Read lines that are Python literals, as in the metadata of 2014, without running any code."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any

from solidrec.data.jsonl import MAX_LINE
from solidrec.errors import DataError

_STRING = r"""u?(?:'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+")"""
# `1 -1 -1` is refused: it is a sum, nested as deep as the line is long
_NUMBER = r"-?\d++(?:\.\d*+)?+(?:[eE][+-]?+\d++)?+(?!\s*-)"
_TOKENS = re.compile(rf"(?:[\s,:\[\]{{}}()]++|{_STRING}|{_NUMBER}|True|False|None)*+", re.DOTALL)
_STRINGS = re.compile(_STRING, re.DOTALL)
_CALL = re.compile(r"[\w\])}]\s*[\[({]")
_ENTRY = rf"(?:{_STRING}|{_NUMBER}|None|nan)"
_PRINTED = re.compile(rf"\[\s*+{_ENTRY}(?:\s++{_ENTRY})++\s*+\]", re.DOTALL)
_BESIDE = re.compile(r"''\s*''")
_ENTRIES = re.compile(_ENTRY, re.DOTALL)
_GAPS = re.compile(rf"({_STRING})|\bnan\b", re.DOTALL)


def literal_record(line: bytes, name: str, row: int) -> dict[str, Any]:
    r"""Return the dictionary that a line writes as a Python literal.

    Only strings, numbers, True, False, None, lists, tuples and dictionaries reach
    `ast.literal_eval`. Names, calls and sums are refused first, since long chains of them can
    exhaust the stack of a parser. Raises `DataError` naming the line for anything else, and for a
    line over 1 MB.

    >>> literal_record(b"{'asin': 'B0', 'title': \"Levi's\"}", "meta", 1)
    {'asin': 'B0', 'title': "Levi's"}
    """
    if len(line) > MAX_LINE:
        raise DataError(
            f"{name}:{row}: line is longer than {MAX_LINE:,} B; one dictionary a line is needed"
        )
    try:
        record = literal(line.decode().removeprefix("\ufeff").strip())
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        reason = (str(error).splitlines() or ["too deep"])[0]
        raise DataError(
            f"{name}:{row}: is not a Python literal ({reason}); download the file again"
        ) from error
    if not isinstance(record, dict):
        raise DataError(f"{name}:{row}: is not a dictionary; one dictionary a line is needed")
    return record


def labels_of(text: str) -> list[str] | None:
    """Return the entries of a text that writes a list of texts and numbers, nested or not, or None.

    None and nan are no entries.

    >>> labels_of("['Pans, small', ['C0', nan]]"), labels_of("['Pans' 'Pots']"), labels_of("[x] y")
    (['Pans, small', 'C0'], ['Pans', 'Pots'], None)
    """
    return _entries(text, (str, int, float), flat=True)


def list_of(text: str) -> list[str] | None:
    """Return the entries of a text that writes one list of texts or whole numbers, else None.

    >>> list_of("['007', 12]"), list_of("['a' 'b']"), list_of("[1.5]"), list_of("a b")
    (['007', '12'], ['a', 'b'], None, None)
    """
    return _entries(text, (str, int), flat=False)


def _entries(text: str, kinds: tuple[type, ...], *, flat: bool) -> list[str] | None:
    """Return the entries, all of these kinds, of a text that writes a list, else None."""
    try:
        found = _list(text.strip())
        entries = list(_flat(found)) if flat else found
        if not {type(each) for each in entries} <= set(kinds):
            return None
        made = [str(each) for each in entries]
        "".join(made).encode()  # half a character is no text
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return made


def _list(text: str) -> list[Any] | tuple[Any, ...]:
    """Return the list that a text writes, with commas as Python does or without, as numpy prints.

    Raises as `literal` does, also for strings side by side elsewhere, which Python would join.
    """
    if _PRINTED.fullmatch(text):
        text = f"[{','.join(_ENTRIES.findall(text))}]"
    elif _BESIDE.search(_STRINGS.sub("''", text)):
        raise ValueError("strings without a comma between them")
    found = literal(_GAPS.sub(lambda part: part[1] or "None", text))
    if not isinstance(found, list | tuple):
        raise TypeError("no list")
    return found


def _flat(value: Any) -> Iterator[Any]:
    for part in value:
        if isinstance(part, list | tuple):
            yield from _flat(part)
        elif part is not None:
            yield part


def literal(text: str) -> Any:
    """Return what a text writes as a Python literal of the kinds that `literal_record` takes.

    Raises `ValueError`, `SyntaxError`, `TypeError`, `MemoryError` or `RecursionError`.
    """
    whole = _TOKENS.match(text)
    if whole is None or whole.end() < len(text):
        at = 0 if whole is None else whole.end()
        raise ValueError(
            f"{text[at : at + 20]!r} is neither text, a number, a list nor a dictionary"
        )
    if _CALL.search(_STRINGS.sub("0", text)):
        raise ValueError("a call or an index is no data")
    # an escape that Python does not know is kept as it is
    with warnings.catch_warnings(action="ignore"):
        return ast.literal_eval(text)
