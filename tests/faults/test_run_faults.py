"""The catalogue of faults names tests that exist, and no row passes without one that ran."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from run_faults import TESTS, catalogue, result_of

ROWS = catalogue()


def test_every_row_of_the_catalogue_is_there() -> None:
    expected = [f"T{n}" for n in range(1, 23)] + [f"D{n}" for n in range(1, 25)]
    assert list(ROWS) == [*expected, *(f"I{n}" for n in range(1, 12))]


@pytest.mark.parametrize("number", ROWS)
def test_a_row_names_tests_that_exist_or_says_why_there_are_none(number: str) -> None:
    row = ROWS[number]
    assert row["injected"]
    assert bool(row.get("none")) != bool(row.get("tests"))
    for name in row.get("tests", ()):
        file, _, start = name.partition("::")
        path = Path(TESTS / file)
        assert path.is_file(), name
        assert re.search(rf"^def {start or 'test_'}", path.read_text("utf-8"), re.MULTILINE), name


ROW = {"injected": "x", "required": "y", "tests": ["a.py::test_one", "b.py"]}


@pytest.mark.parametrize(
    ("found", "holds", "words"),
    [
        ({"tests/a.py::test_one[1]": "passed", "tests/b.py::test_x": "passed"}, True, "2 passed"),
        ({"tests/a.py::test_one": "passed", "tests/b.py::test_x": "failed"}, False, "1 failed"),
        ({"tests/a.py::test_one": "passed"}, False, "no test b.py ran"),
        ({"tests/a.py::test_one": "no disk", "tests/b.py::test_x": "no disk"}, False, "2 no disk"),
    ],
)
def test_a_row_holds_if_all_it_names_ran_and_none_failed(
    found: dict[str, str], holds: bool, words: str
) -> None:
    assert result_of(ROW, found)[0] == holds
    assert words in result_of(ROW, found)[1]
