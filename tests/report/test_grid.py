from __future__ import annotations

import re

from solidrec.experiments.tables.sweep import Sweep
from solidrec.report.grid import _FAINT, _circles, penalty_and_clip
from solidrec.report.material import Material

SWEEP = Sweep("UAUC", ("0.1", "1.0"), ("0.01", "1.0"), ((0.7, 0.6), (None, 0.5)))


def test_the_larger_value_has_the_larger_and_deeper_circle() -> None:
    text = _circles(SWEEP, label="x")
    depths = [float(found) for found in re.findall(r"fill-opacity: ([\d.]+)", text)]
    assert sorted({round(depth, 3) for depth in depths if depth}) == [
        _FAINT,
        round(_FAINT + (1 - _FAINT) / 2, 3),
    ]
    for word in ("0.7000", "0.6000", "0.5000", "–", "λ"):
        assert word in text
    assert "var(--s0)" in text  # blue is UAUC's


def test_another_layout_has_no_such_figure(of: Material) -> None:
    assert not penalty_and_clip(of)
