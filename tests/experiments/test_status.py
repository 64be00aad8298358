"""The progress of an experiment, row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from solidrec.experiments.grid import Row
from solidrec.experiments.results import Place, Plan, Results
from solidrec.experiments.status import status_of, status_table

SHARED = "same"  # the key of a cell that two rows have in common


@pytest.fixture
def plan() -> Plan:
    """Three rows of two seeds; the last row's first cell is also the first row's."""
    keys = {"a": [SHARED, "a1"], "b": ["b0", "b1"], "c": [SHARED, "c1"]}
    places = [Place(row, seed, key) for row, two in keys.items() for seed, key in enumerate(two)]
    rows = tuple(Row(name) for name in keys)
    return Plan(
        "t", "title", "table", None, ("paper",), (), "/data", "f" * 64, {}, rows, tuple(places)
    )


@pytest.fixture
def results(tmp_path: Path) -> Results:
    found = Results(tmp_path)
    for key, seconds in ((SHARED, 40.0), ("a1", 2.0), ("c1", 0.5)):
        record: dict[str, Any] = {"key": key, "spec": {}, "measures": {}, "seconds": seconds}
        found.append(record | {"evaluations": {"paper": {"metrics": {}}}})
    return found


def test_a_row_counts_its_cells_and_the_total_counts_each_once(
    plan: Plan, results: Results
) -> None:
    found = status_of(plan, results)
    assert [(row["row"], row["finished"], row["seconds"]) for row in found["rows"]] == [
        ("a", 2, 42.0),
        ("b", 0, 0),
        ("c", 2, 40.5),
    ]
    assert [row["missing_seeds"] for row in found["rows"]] == [[], [0, 1], []]
    assert [row["cells"] for row in found["rows"]] == [2, 2, 2]
    assert (found["finished"], found["cells"]) == (3, 5)
    assert (found["title"], found["data"], found["fingerprint"]) == ("title", "/data", "f" * 64)


def test_the_table_shows_what_is_missing(plan: Plan, results: Results) -> None:
    console = Console(width=80, record=True)
    with console.capture() as captured:
        console.print(status_table(status_of(plan, results)))
    lines = [line.replace("│", " ").split() for line in captured.get().splitlines()]
    assert lines[0] == ["title:", "3", "of", "5", "cells"]
    assert ["a", "2/2", "-", "42"] in lines
    assert ["b", "0/2", "0,", "1", "0"] in lines
    assert ["c", "2/2", "-", "40"] in lines
