"""Grids as text: every format holds the same places, and notes stand below."""

from __future__ import annotations

import csv
import io

from solidrec.text_grid import Entry, Grid, csv_text, latex, markdown

GRID = Grid.of("Cost & more", ("", "s_b"), [("a|b", Entry("1", bold=True))])


def test_plain_texts_are_entries_without_a_block() -> None:
    assert GRID.lines == ((Entry("a|b"), Entry("1", bold=True)),)
    assert GRID.blocks == ("",)


def test_a_block_is_named_where_it_begins() -> None:
    grid = Grid.of("t", ("",), [("a",), ("b",), ("c",)], blocks=("x", "x", "y"))
    assert [block for block, _ in grid.by_block()] == ["x", None, "y"]


def test_as_text_there_is_every_grid_and_note() -> None:
    text = markdown([GRID, GRID], ["A note."])
    assert text.count(r"| a\|b | **1** |") == 2
    assert text.endswith("A note.\n")
    pages = latex([GRID, GRID], ["A note."])
    assert pages.count(r"\caption{Cost \& more}") == 2
    assert pages.count("A note.") == 1


def test_as_csv_there_are_the_raw_numbers() -> None:
    text = csv_text("row,value", [("a,b", 1.5), ("c", None)])
    assert list(csv.reader(io.StringIO(text))) == [["row", "value"], ["a,b", "1.5"], ["c", ""]]
