from __future__ import annotations

import csv
import io

import numpy as np

from solidrec.experiments.tables.measure import MeasureTable, Number, measures_csv, numbers_of
from solidrec.experiments.tables.measured import Measured


def test_as_csv_it_has_the_raw_numbers() -> None:
    numbers = (Number("a", 0, "q", 1.5), Number("a", 1, "q", None))
    table = MeasureTable("cost", "Cost", (), ("A note.",), numbers)
    assert list(csv.reader(io.StringIO(measures_csv([table])))) == [
        ["table", "row", "seed", "quantity", "value"],
        ["cost", "a", "0", "q", "1.5"],
        ["cost", "a", "1", "q", ""],
    ]


def test_the_numbers_of_a_row_are_those_of_its_seeds() -> None:
    metrics = ({"UAUC": 0.5}, {"UAUC": 0.25})
    row = Measured("a", {}, (3, 7), "paper", "d", np.array([1]), metrics, {})
    assert numbers_of([row], ("UAUC", "AUC"), "{} (full)") == [
        Number("a", 3, "UAUC (full)", 0.5),
        Number("a", 7, "UAUC (full)", 0.25),
    ]
