from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solidrec.metrics import per_row, ranks
from solidrec.report.bars import _CHANCE, Bar, _bar_chart, _groups, _start, bars
from solidrec.report.material import Material
from solidrec.report.plots import Series


def test_chance_is_what_a_constant_score_gets() -> None:
    found = per_row(ranks(np.zeros((1, 100))), (10,))
    for metric, value in _CHANCE.items():
        assert found[metric][0] == pytest.approx(value)


def test_each_row_has_a_bar_with_the_tables_numbers(of: Material) -> None:
    table = of.tables[0]
    drawn = [bar for _, group in _groups(table, "UAUC", of) for bar in group]
    lines = [next(cell for cell in line.cells if cell.metric == "UAUC") for line in table.lines]
    assert [(bar.value, bar.low, bar.high) for bar in drawn] == [
        (cell.mean, cell.low, cell.high) for cell in lines
    ]
    assert [bar.series.label for bar in drawn] == ["static", "duet", "solid-duet", "popularity"]
    assert _start("NDCG@10", of.tables[1]) == 0
    assert _start("UAUC", of.tables[1]) == 0.5


def test_values_and_blocks_are_written_beside_the_bars(of: Material) -> None:
    text = _bar_chart(
        [
            (
                "din",
                [
                    Bar(Series.run("a", 0), 0.612, 0.6, 0.62),
                    Bar(Series.run("b", 1), 0.4, None, None),
                ],
            )
        ],
        0.5,
        label="x",
    )
    for word in ("0.612", "0.400", ">din<", ">a<", ">b<"):
        assert word in text
    assert [len(protocol.drawn) for protocol in bars(of).charts] == [3, 3]
    assert not bars(replace(of, plan=replace(of.plan, layout="figure5")))
