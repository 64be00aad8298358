from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from solidrec.report.curves import _charts, training_curves
from solidrec.report.material import Material
from solidrec.report.plots import Series


def test_every_training_has_a_line_in_both_charts(of: Material) -> None:
    found = training_curves(of)
    (charts,) = found.charts
    assert len(charts.drawn) == 2
    assert "2 of 2 seeds" in found.how
    assert [look.label for look in charts.legend] == ["static", "duet", "solid-duet"]


def test_without_validation_there_is_one_chart() -> None:
    log = [
        {"stage": 1, "epoch": epoch, "loss": 0.5, "valid": None, "best": True} for epoch in (1, 2)
    ]
    assert [caption for caption, _ in _charts([(Series.run("a", 0), log)], "x")] == [
        "Training loss"
    ]


def test_without_runs_there_is_nothing(
    copied: Path, read_material: Callable[[Path], Material]
) -> None:
    shutil.rmtree(copied / "runs")
    assert not training_curves(read_material(copied))
