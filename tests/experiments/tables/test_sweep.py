from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from solidrec.experiments.grid import Row
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.sweep import _grid_of, sweep_table, sweeps

PLACES = [("0.1", "1.0"), ("0.1", "0.01"), ("10.0", "1.0"), ("10.0", "0.01")]
VALUES = [0.5, 0.7, 0.6, None]


@pytest.fixture
def plan(measured_experiment: Path) -> Plan:
    rows = tuple(Row(f"{a} {d}", {"train.codebook_weight": a, "model.clip": d}) for a, d in PLACES)
    return replace(Plan.load(measured_experiment), layout="figure5", rows=rows)


def row(name: str, a: str, d: str, value: float) -> Measured:
    labels = {"train.codebook_weight": a, "model.clip": d}
    return Measured(
        name,
        labels,
        (0,),
        "paper",
        "d",
        np.array([1]),
        ({"UAUC": value},),
        {"UAUC": np.array([[value]])},
    )


def test_values_stand_in_the_order_of_the_numbers(plan: Plan) -> None:
    rows = [
        row(f"{a} {d}", a, d, v) for (a, d), v in zip(PLACES, VALUES, strict=True) if v is not None
    ]
    found = sweeps(plan, rows)[0]
    assert (found.metric, found.across, found.down) == ("UAUC", ("0.1", "10.0"), ("0.01", "1.0"))
    assert found.values == ((0.7, None), (0.5, 0.6))
    assert found.best == 0.7
    grid = _grid_of("t", "paper", found)
    assert [part.text for part in grid.lines[0]] == ["T = 0.01", "0.7000", "-"]
    assert [part.bold for part in grid.lines[0]] == [False, True, False]


def test_one_value_is_not_the_best_of_several(plan: Plan) -> None:
    assert sweeps(plan, [row("0.1 1.0", "0.1", "1.0", 0.5)])[0].best is None


def test_each_protocol_has_its_grids(plan: Plan, measured_experiment: Path) -> None:
    rows = {"paper": [row("0.1 1.0", "0.1", "1.0", 0.5), row("10.0 1.0", "10.0", "1.0", 0.75)]}
    table = sweep_table(plan, Results(measured_experiment), rows)
    assert table is not None
    assert [grid.title.partition(": ")[2].partition(" ")[0] for grid in table.grids] == [
        "UAUC"
    ]  # no row has another metric
    assert [(number.row, number.value) for number in table.numbers] == [
        ("0.1 1.0", 0.5),
        ("10.0 1.0", 0.75),
    ]


def test_another_layout_has_no_such_table(measured_experiment: Path) -> None:
    assert sweep_table(Plan.load(measured_experiment), Results(measured_experiment), {}) is None
