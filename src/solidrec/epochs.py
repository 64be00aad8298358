"""The log of epochs: writing, reading, and the validation metric of each epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from solidrec.disk import write_file
from solidrec.errors import DamagedError
from solidrec.json_files import parse_json

HISTORY = "history.jsonl"
"""The log in a run folder, with one line per epoch."""


def select_of(row: Mapping[str, Any]) -> str:
    """Return the validation metric of an epoch (`train.select`), which logs of 0.1 do not name."""
    return str(row.get("select", "UAUC"))


def score_of(row: Mapping[str, Any]) -> float | None:
    """Return the validation score that judged an epoch, or None without validation.

    >>> score_of({"valid": {"UAUC": 0.7, "NDCG@10": 0.1}, "select": "full NDCG@10"})
    0.1
    >>> score_of({"valid": {"UAUC": 0.7}})
    0.7
    """
    found: float | None = (row["valid"] or {}).get(select_of(row).removeprefix("full "))
    return found


def write_history(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the log so far, with one JSON object per line."""
    text = "".join(json.dumps(row, allow_nan=False) + "\n" for row in rows)
    write_file(path / HISTORY, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_history(path: Path) -> list[dict[str, Any]]:
    """Read the log of a run, or raise `DamagedError` if it is missing or not valid JSON."""
    try:
        rows = [parse_json(line) for line in (path / HISTORY).read_bytes().splitlines()]
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("a line is no object")
        return rows
    except (OSError, ValueError) as error:
        raise DamagedError(
            f"{path / HISTORY}: is not as it was written ({error}); restore it, or train again"
        ) from None
