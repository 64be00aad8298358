from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def script(repository: Path) -> Callable[[str], ModuleType]:
    """Import a script of ``benchmarks/`` by its name; a script finds the others as it does when it is run."""

    def load(name: str) -> ModuleType:
        folder = str(repository / "benchmarks")
        if folder not in sys.path:
            sys.path.append(folder)
        return importlib.import_module(name)

    return load
