"""The JSON of this library's own files: as it is written, and nothing else that a parser takes."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from solidrec.disk import write_file
from solidrec.errors import DamagedError, StorageError

_DIGITS = 40
"""Longest integer that one of our files may have; the longest that they do have is a time."""


def parse_json(text: str | bytes) -> Any:
    """Return the value of a JSON text as this library writes it; raises `ValueError`, in one line.

    No JSON of ours is nested deeply, has a key twice, a huge integer, a number that is not finite,
    or text that is not Unicode.

    >>> parse_json('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    >>> parse_json('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ValueError: the key 'a' is given twice
    """
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_finite,
        )
        if "\\u" in text:  # escapes, which can make half of a pair of surrogates
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeEncodeError:
        raise ValueError("it has a lone surrogate, which is no character") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {twice[:60]!r} is given twice")
    return found


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"it has an integer of {len(text):,} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no finite number")
    return number


SEAL = "sha256"
"""The entry of an object that is the sha256 of all its others."""


def sealed(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with its seal: the sha256 of its JSON with sorted keys and without spaces.

    >>> seal = sealed({"b": 1, "a": [2]})["sha256"]
    >>> seal == sealed({"a": [2], "b": 1, "sha256": "an old one"})["sha256"]
    True
    """
    # The numbers and keys are those that a reader will find.
    plain = json.loads(json.dumps({**value, SEAL: None}, allow_nan=False))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return {**value, SEAL: hashlib.sha256(text.encode()).hexdigest()}


def unsealed(value: Any) -> dict[str, Any]:
    """Return an object without its seal, which must be right; earlier versions wrote none.

    Raises `ValueError` if it is wrong, or if `value` is no object.
    """
    if not isinstance(value, dict):
        raise ValueError(f"it is no object, but {type(value).__name__}")
    if SEAL in value and sealed(value)[SEAL] != value[SEAL]:
        raise ValueError("its own sha256 differs")
    return {key: one for key, one in value.items() if key != SEAL}


def read_json(path: Path) -> Any:
    """Read a JSON file that `solidrec` wrote.

    Raises `StorageError` if it cannot be read and `DamagedError` if it is not JSON (`parse_json`).
    """
    try:
        return parse_json(path.read_bytes())
    except FileNotFoundError as error:
        raise StorageError(f"{path}: no such file") from error
    except OSError as error:
        raise StorageError(f"{path}: cannot read ({error.strerror or error})") from error
    except ValueError as error:
        raise DamagedError(
            f"{path}: is not valid JSON ({error}); the file is damaged, make it again"
        ) from error


def write_json(path: Path, value: Any) -> None:
    """Write `value` atomically as indented JSON, or raise `ValueError` for NaN and infinity."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_file(path, lambda half: half.write_text(text, encoding="utf-8"))
