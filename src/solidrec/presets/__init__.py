"""Presets of settings by name: the paper's, and those chosen on validation for a data set."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from solidrec.errors import UsageError, nearest

FOLDER = Path(__file__).parent


def presets() -> tuple[str, ...]:
    """Return the names of the presets.

    >>> "paper" in presets()
    True
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def preset(name: str) -> dict[str, Any]:
    """Return the settings of a preset for `train`, or raise `UsageError` for an unknown name.

    >>> preset("paper")["model"]["codebook"]["find"]
    'nearest'
    """
    if name not in presets():
        raise UsageError(f"preset {name!r} is unknown{nearest(name, presets())}")
    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
