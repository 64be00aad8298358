"""Every source file has its test file: src/solidrec/a/b.py is tested by tests/a/test_b.py."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

NO_TESTS = {"__init__.py", "__main__.py"}


def untested(sources: Iterable[str], tests: Iterable[str]) -> list[str]:
    """Return the test files that are missing, by paths in the package and in the tests."""
    found = set(tests)
    paths = (PurePosixPath(source) for source in sources)
    wanted = (
        str(path.with_name(f"test_{path.name}")) for path in paths if path.name not in NO_TESTS
    )
    return sorted(test for test in wanted if test not in found)


def files_of(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in root.rglob("*.py")]


def test_every_source_file_has_its_test_file(repository: Path) -> None:
    sources = files_of(repository / "src" / "solidrec")
    assert {"errors.py", "nn/build.py"} <= set(sources)
    assert untested(sources, files_of(repository / "tests")) == []


def test_every_test_file_has_a_test(repository: Path) -> None:
    paths = (repository / "tests").rglob("test_*.py")
    assert [path.name for path in paths if "\ndef test_" not in path.read_text("utf-8")] == []


@pytest.mark.parametrize(
    ("tests", "missing"),
    [
        (["nn/test_build.py", "test_ids.py"], []),
        (["nn/test_build.py", "nn/test_ids.py"], ["test_ids.py"]),  # at another place
        (["build.py", "test_ids.py"], ["nn/test_build.py"]),
        ([], ["nn/test_build.py", "test_ids.py"]),
    ],
)
def test_a_missing_test_file_is_found(tests: list[str], missing: list[str]) -> None:
    sources = ["__init__.py", "__main__.py", "ids.py", "nn/__init__.py", "nn/build.py"]
    assert untested(sources, tests) == missing
