"""The validation metrics that may choose an epoch."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pydantic_core import PydanticCustomError

from solidrec.errors import nearest
from solidrec.registry import METRICS

_AT_K = tuple(f"{name}@{k}" for name in ("NDCG", "Recall") for k in (5, 10, 20))
_SELECTABLE = ("AUC", "UAUC", "MRR", *_AT_K)
"""Metrics that may choose an epoch, besides those of other packages."""


def selectable(text: str) -> str:
    """Check the name of a validation metric, with or without ``full`` before it."""
    metric = text.removeprefix("full ")
    if metric not in _SELECTABLE and metric not in METRICS:
        why = f"unknown name {text!r}{nearest(metric, [*_SELECTABLE, *METRICS])}"
        raise PydanticCustomError("part", "{why}", {"why": why})
    return text


class Selection(NamedTuple):
    """What chooses an epoch: a ``metric`` on validation users under a ``protocol``."""

    protocol: Literal["paper", "full"]
    metric: str

    @classmethod
    def of(cls, text: str) -> Selection:
        """Return what a setting names.

        >>> Selection.of("full NDCG@10")
        Selection(protocol='full', metric='NDCG@10')
        """
        protocol: Literal["paper", "full"] = "full" if text.startswith("full ") else "paper"
        return cls(protocol, text.removeprefix("full "))
