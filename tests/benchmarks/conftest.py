from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """Import a script of ``benchmarks/`` by its name, with the imports it has when it is run."""
    return importlib.import_module
