"""The notes below a table say what was tested, what is missing and what one seed says."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.notes import notes_of
from solidrec.experiments.tables.result_table import Layout, TableLine
from solidrec.experiments.tables.tabulate import result_table


@pytest.fixture
def notes(copied: Path) -> str:
    """The notes of the finished experiment's table."""
    rows = Results(copied).measured(Plan.load(copied), "paper")
    return "\n".join(result_table(rows, Layout("title")).notes)


def test_they_name_the_protocol_the_users_and_the_data(copied: Path, notes: str) -> None:
    row = Results(copied).measured(Plan.load(copied), "paper")[0]
    assert (
        f"Protocol paper (the target among sampled items), {len(row.users):,} test users" in notes
    )
    assert row.data in notes


def test_they_count_the_tests_that_p_is_corrected_for(copied: Path, notes: str) -> None:
    rows = Results(copied).measured(Plan.load(copied), "paper")
    table = result_table(rows, Layout("title"))
    tests = sum(contrast.p is not None for contrast in table.contrasts)
    assert tests > 0
    assert f"corrected (Holm) for the {tests} tests of this table" in notes


def test_missing_seeds_are_named_and_nothing_is_said_where_none_are(copied: Path) -> None:
    rows = Results(copied).measured(Plan.load(copied), "paper")
    whole, short = TableLine("static", "", (), 3, 3), TableLine("duet", "", (), 1, 3)
    said = list(notes_of(rows, [whole, short], [], layout=Layout("title")))
    assert "Missing: duet (1 of 3 seeds)." in said
    assert not any(
        "Missing" in note for note in notes_of(rows, [whole], [], layout=Layout("title"))
    )


def test_without_a_test_there_is_no_word_of_stars(copied: Path) -> None:
    rows = Results(copied).measured(Plan.load(copied), "paper")
    said = " ".join(notes_of(rows, [], [], layout=Layout("title")))
    assert "star" not in said
