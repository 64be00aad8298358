"""The table that maps tensor names of earlier runs to their present names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

Value = TypeVar("Value")
Renames = tuple[tuple[str, str], ...]
"""Patterns in names, and their replacements."""

LAYERS: Renames = (
    (r"\bcodebook\.codes\b", "codebook.code_vectors"),
    (r"\battention\.project\b", "attention.qkv_proj"),
    (r"\battention\.out\b", "attention.out_proj"),
    (r"\bnorm_(wise|feed)\b", "norm_feed_forward"),
    (r"\bgate_feed\b", "gate_feed_forward"),
    (r"\bwise\b", "feed_forward"),
)
"""Renames for every model."""
TRUNK_AND_BRANCH: Renames = (
    (r"^((?:source\.)+)first\.", r"\1trunk."),
    (r"^((?:source\.)+)second\.", r"\1branch."),
)
STATIC_CODEBOOK: Renames = ((r"^source\.tensors\.", "source.source.tensors."),)
"""Renames for `static-codebook`, whose shared weights held the codebook."""
MIXTURE: Renames = (
    (r"^source\.first\.first\.", "shared."),
    (r"^source\.first\.second\.", "deltas.0."),
    (r"^source\.first\.", "shared."),
    (r"^source\.tensors\.", "shared.tensors."),
)
"""Renames for mixtures, whose source was shared weights, or a sum of two or three sources."""


def tensors(found: Mapping[str, Value]) -> dict[str, Value]:
    """Return tensors by their present names.

    >>> tensors({"source.first.semantics.weight": 1, "items.weight": 2})
    {'source.trunk.semantics.weight': 1, 'items.weight': 2}
    """
    table = LAYERS + _of_source(found)
    return {_renamed(name, table): value for name, value in found.items()}


def _of_source(names: Mapping[str, object]) -> Renames:
    """Return the renames for the source of the model that has tensors of these names."""

    def some(start: str) -> bool:
        return any(name.startswith(start) for name in names)

    if some("experts."):
        last = "deltas.1." if some("source.first.first.") else "deltas.0."
        return (*MIXTURE, (r"^source\.second\.", last))
    return (
        STATIC_CODEBOOK
        if some("source.tensors.") and some("source.codebook.")
        else TRUNK_AND_BRANCH
    )


def _renamed(name: str, table: Renames) -> str:
    for pattern, now in table:
        name = re.sub(pattern, now, name)
    return name
