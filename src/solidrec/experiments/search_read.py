"""What a person says may vary, as values by dotted key: a TOML file and pairs of the command line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from solidrec.errors import UsageError


def read_space(path: Path | None, tries: Sequence[str]) -> dict[str, Any]:
    """Return what varies by dotted key, from a TOML file and ``key=value,value`` pairs; raises `UsageError` for anything else."""
    found: dict[str, Any] = {}
    if path is not None:
        try:
            found = dotted(tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise UsageError(f"--space {path}: {error.strerror}") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"--space {path}: is not TOML ({error})") from None
    for text in tries:
        key, sign, values = text.partition("=")
        if not (key.strip() and sign and values.strip()):
            raise UsageError(f"--try {text}: write it as key=value,value, for example --try model.dropout=0,0.2,0.4")
        found[key.strip()] = listed(values)
    return found


def listed(text: str) -> list[Any]:
    """Read values between commas: JSON, or else names.

    >>> listed("0,0.2"), listed("din,sasrec"), listed('["text"],["id","text"]')
    ([0, 0.2], ['din', 'sasrec'], [['text'], ['id', 'text']])
    """
    try:
        return list(json.loads(f"[{text}]"))
    except json.JSONDecodeError:
        return [part.strip() for part in text.split(",")]


def dotted(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested tables by dotted keys; a table with ``low`` or ``high`` is a range.

    >>> dotted({"model": {"dim": {"low": 8, "high": 64}}, "train.batch": [64, 128]})
    {'model.dim': {'low': 8, 'high': 64}, 'train.batch': [64, 128]}
    """
    found: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, Mapping) and not {"low", "high"} & value.keys()
        found |= dotted(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return found
