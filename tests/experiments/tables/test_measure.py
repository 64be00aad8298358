from __future__ import annotations

import csv
import io

from solidrec.experiments.tables.measure import (
    MeasureTable,
    Number,
    measure_latex,
    measure_markdown,
    measures_csv,
)
from solidrec.experiments.tables.text import Entry, Grid

GRID = Grid("Cost & more", ("", "s_b"), ((Entry("a|b"), Entry("1", bold=True)),), ("",))
TABLE = MeasureTable(
    "cost",
    "Cost",
    (GRID, GRID),
    ("A note.",),
    (Number("a", 0, "q", 1.5), Number("a", 1, "q", None)),
)


def test_as_text_it_has_every_grid_and_note() -> None:
    text = measure_markdown(TABLE)
    assert text.count(r"| a\|b | **1** |") == 2
    assert text.endswith("A note.\n")
    latex = measure_latex(TABLE)
    assert latex.count(r"\caption{Cost \& more}") == 2
    assert latex.count("A note.") == 1


def test_as_csv_it_has_the_raw_numbers() -> None:
    assert list(csv.reader(io.StringIO(measures_csv([TABLE])))) == [
        ["table", "row", "seed", "quantity", "value"],
        ["cost", "a", "0", "q", "1.5"],
        ["cost", "a", "1", "q", ""],
    ]
