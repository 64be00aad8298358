"""No docstring example is lost and every module imports; --doctest-modules runs the examples."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import solidrec

MODULES = sorted(
    {found.name for found in pkgutil.walk_packages(solidrec.__path__, "solidrec.")}
    - {"solidrec.__main__"}
)


def test_no_example_is_lost() -> None:
    """A decorator that hides its function would hide the example too, and nothing would fail."""
    written, found = {}, {}
    for name in MODULES:
        module = importlib.import_module(name)
        written[name] = examples_in(Path(str(module.__file__)).read_text(encoding="utf-8"))
        found[name] = sum(bool(test.examples) for test in doctest.DocTestFinder().find(module))
    assert sum(written.values()) > 0
    assert found == written


def examples_in(source: str) -> int:
    """How many docstrings of a source hold an example."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    docstrings = (
        ast.get_docstring(node) or ""
        for node in ast.walk(ast.parse(source))
        if isinstance(node, kinds)
    )
    return sum(">>> " in text for text in docstrings)


def test_every_module_imports_without_a_warning() -> None:
    """In a fresh interpreter without the checks of the tests, as a user has it."""
    code = "; ".join(f"import {name}" for name in MODULES)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
