"""Inject every fault of faults.toml and print ID · injected · result: ``make faults``.

Arguments are those of pytest. The exit code is 1 if a row fails or has no test that ran.
"""

from __future__ import annotations

import sys
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any, final

import pytest
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
TESTS = HERE.parent


def catalogue() -> dict[str, dict[str, Any]]:
    """Return the rows of faults.toml by their ids."""
    return tomllib.loads((HERE / "faults.toml").read_text(encoding="utf-8"))


def belongs(node: str, name: str) -> bool:
    """Return whether the test `node` is one of those that a row names, by file or by its start.

    >>> belongs("tests/data/test_split.py::test_a_b[1]", "data/test_split.py::test_a")
    True
    """
    return node.removeprefix("tests/").startswith(name)


@final
class Outcomes:
    """A plugin of pytest that keeps the outcome of each test, and runs those of the catalogue."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.found: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the tests that no row names out."""
        items[:] = [one for one in items if any(belongs(one.nodeid, name) for name in self.names)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the worst outcome of a test's phases, and the reason of a skip."""
        if report.failed:
            self.found[report.nodeid] = "failed"
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else "skipped"
            self.found[report.nodeid] = str(reason).removeprefix("Skipped: ")
        elif report.when == "call":
            self.found[report.nodeid] = "passed"


def result_of(row: dict[str, Any], found: dict[str, str]) -> tuple[bool, str]:
    """Return whether a row holds, and its result in words."""
    if "none" in row:
        return True, f"not built: {row['none']}"
    counts: dict[str, int] = defaultdict(int)
    for name in row["tests"]:
        own = [outcome for node, outcome in found.items() if belongs(node, name)]
        if not own:
            return False, f"no test {name} ran"
        for outcome in own:
            counts[outcome] += 1
    words = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    return "failed" not in counts and "passed" in counts, f"{words}: {row['required']}"


def main() -> None:
    """Run the tests and print the table."""
    rows = catalogue()
    names = {name for row in rows.values() for name in row.get("tests", ())}
    outcomes = Outcomes(names)
    files = sorted({str(TESTS / name.partition("::")[0]) for name in names})
    pytest.main([*files, "-q", "--no-header", "-p", "no:cacheprovider", *sys.argv[1:]], [outcomes])
    table = Table("ID", "injected", "result", title="faults")
    held = []
    for number, row in rows.items():
        holds, result = result_of(row, outcomes.found)
        held.append(holds)
        table.add_row(number, row["injected"], result if holds else f"FAILS: {result}")
    Console(width=140).print(table)
    print(f"{sum(held)} of {len(held)} rows hold; {len(outcomes.found)} tests ran")
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
