"""A logged epoch: which validation metric judged it, and what it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def select_of(row: Mapping[str, Any]) -> str:
    """Return the name of the validation metric that judged an epoch (`train.select`); rows of 0.1 do not say it."""
    return str(row.get("select", "UAUC"))


def score_of(row: Mapping[str, Any]) -> float | None:
    """Return the validation metric that judged an epoch, None where nothing was validated.

    >>> score_of({"valid": {"UAUC": 0.7, "NDCG@10": 0.1}, "select": "full NDCG@10"})
    0.1
    >>> score_of({"valid": {"UAUC": 0.7}})
    0.7
    """
    found: float | None = (row["valid"] or {}).get(select_of(row).removeprefix("full "))
    return found
