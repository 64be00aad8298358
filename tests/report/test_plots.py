"""Charts show the given numbers, are the same at every drawing, and take the page's colours."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from solidrec.report import plots
from solidrec.report.plots import (
    BASELINE_COLORS,
    COLORS,
    INK,
    RUN_COLORS,
    Curve,
    Series,
    drawing,
    few_ticks,
    histogram,
    line_chart,
)

A, B = Series.run("a", 0), Series.run("b", 1)


@pytest.fixture
def painted(monkeypatch: pytest.MonkeyPatch) -> list[Axes]:
    """The axes of every chart that is drawn."""
    found: list[Axes] = []

    def keep(paint: Callable[[Axes], None], **named: Any) -> str:
        axes = Figure().add_subplot()
        paint(axes)
        found.append(axes)
        return ""

    monkeypatch.setattr(plots, "drawing", keep)
    return found


def test_runs_are_told_apart_by_colour_and_marker_and_baselines_are_hollow() -> None:
    runs = [Series.run("x", number) for number in range(len(RUN_COLORS))]
    assert len({run.color for run in runs}) == len({run.marker for run in runs}) == len(runs)
    assert not any(run.hollow for run in runs)
    assert Series.run("x", len(RUN_COLORS)).color == runs[0].color
    grey = [Series.baseline("x", number) for number in range(3)]
    assert all(one.hollow for one in grey)
    assert [one.color for one in grey] == [BASELINE_COLORS[n % 2][0] for n in range(3)]
    assert len({one.glyph for one in (*runs, *grey)}) == len(runs) + 2


def test_a_curve_is_drawn_through_its_points_and_the_chosen_one_is_marked(
    painted: list[Axes],
) -> None:
    curves = [
        Curve(A, [1, 2, 3], [0.5, 0.75, 0.25], chosen=1),
        Curve(B, [1, 2], [0.1, 0.2], dashed=True, thin=True),
        Curve(B, [1, 2], [0.3, 0.4], points=True),
        Curve(A, [4], [0.9]),
    ]
    line_chart(curves, label="x", x_label="step")
    first, mark, thin, points, single = painted[0].lines
    assert first.get_xydata().tolist() == [[1, 0.5], [2, 0.75], [3, 0.25]]
    assert (first.get_color(), first.get_linestyle()) == (A.color, "-")
    assert mark.get_xydata().tolist() == [[2, 0.75]]
    assert mark.get_marker() == A.marker
    assert thin.get_linestyle() == "--"
    assert thin.get_linewidth() < first.get_linewidth()
    for dots, values in ((points, [[1, 0.3], [2, 0.4]]), (single, [[4, 0.9]])):
        assert dots.get_xydata().tolist() == values
        assert dots.get_marker() == "o"
    assert painted[0].get_xlabel() == "step"


def test_an_axis_of_shares_counts_or_one_epoch_has_its_range(painted: list[Axes]) -> None:
    flat = Curve(A, [3], [0.5])
    line_chart([flat], label="x", share=True)
    line_chart([Curve(A, [1, 2], [0, 40])], label="x", counts=True, limit=(50, "all 50 codes"))
    line_chart([Curve(A, [1, 2], [0, 0])], label="x", counts=True)
    shares, limited, none = painted
    assert shares.get_xlim() == (2, 4)
    assert [tick.get_text() for tick in shares.get_yticklabels()] == [
        "0%",
        "25%",
        "50%",
        "75%",
        "100%",
    ]
    low, high = limited.get_ylim()
    assert (low, high) == (0, pytest.approx(1.12 * 50))
    assert [text.get_text() for text in limited.texts] == ["all 50 codes"]
    assert limited.lines[-1].get_ydata() == [50, 50]
    low, high = none.get_ylim()
    assert low < 0 < 1 < high


@pytest.mark.parametrize(
    "values", [[1], [5, 5, 7], list(range(24)), list(range(25)), [1, 1, 900], [3, 50, 51, 51]]
)
def test_a_histogram_counts_every_value_once_in_bins_of_whole_width(
    painted: list[Axes], values: list[int]
) -> None:
    histogram(values, label="x", x_label="items", y_label="ids", bins=24)
    bars = [patch for patch in painted[0].patches if hasattr(patch, "get_height")]
    width = -(-(max(values) - min(values) + 1) // 24)
    assert len(bars) <= 24
    for number, bar in enumerate(bars):
        low = min(values) + width * number
        assert bar.get_height() == sum(low <= value < low + width for value in values)
    assert sum(bar.get_height() for bar in bars) == len(values)
    assert (painted[0].get_xlabel(), painted[0].get_ylabel()) == ("items", "ids")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.6123, 0.6181), (0, 31_415), (1, 5)])
def test_ticks_are_few_and_even(low: float, high: float) -> None:
    ticks = few_ticks().tick_values(low, high)
    assert sum(low <= tick <= high for tick in ticks) <= 7
    assert np.ptp(np.diff(ticks)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("high", [3, 5, 24, 31_415])
def test_ticks_of_counts_are_whole_numbers(high: int) -> None:
    assert all(float(tick).is_integer() for tick in few_ticks(integer=True).tick_values(0, high))


def chart(label: str = "Loss & more") -> str:
    return line_chart([Curve(A, [1, 2, 3], [0.5, 0.75, 0.25], chosen=1)], label=label)


def test_a_chart_is_the_same_at_every_drawing_whatever_the_users_style() -> None:
    before = dict(matplotlib.rcParams)
    first = chart()
    assert dict(matplotlib.rcParams) == before
    with matplotlib.rc_context({"lines.linewidth": 9.0, "font.size": 30.0}):
        assert chart() == first


def test_a_chart_is_one_element_with_its_label_escaped_and_no_prologue() -> None:
    svg = chart()
    assert re.match(r'<svg viewBox="[^"]+" role="img" aria-label="Loss &amp; more">', svg)
    assert svg.endswith("</svg>")
    assert svg.count("<svg") == 1
    assert not re.search(r"<\?xml|<!DOCTYPE|xlink:href|Matplotlib", svg)


def test_only_ids_that_something_refers_to_are_kept_and_two_charts_share_none() -> None:
    one, two = (set(re.findall(r' id="([^"]+)"', chart(label))) for label in ("one", "two"))
    svg = chart("one")
    assert one
    assert all(f"#{name}" in svg for name in one)
    assert not one & two


def test_every_tone_is_a_variable_of_the_style_sheet() -> None:
    def paint(axes: Axes) -> None:
        for row, tone in enumerate(COLORS):
            axes.plot([0, 1], [row, row], color=tone)
        axes.text(0, 0, "words", color=INK)

    svg = drawing(paint, height=2, label="tones")
    assert set(re.findall(r"var\(--(\w+)\)", svg)) == set(COLORS.values())
    assert not any(to_hex(tone) in svg for tone in COLORS)
