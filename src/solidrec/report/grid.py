"""Figure 5 of an experiment: λ across, T upwards, and larger, deeper circles for larger values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solidrec.experiments.tables.sweep import ACROSS, DOWN, LAYOUT, SIGNS, Sweep, sweeps
from solidrec.report.material import Material
from solidrec.report.plots import INK, MUTED, RUN_COLORS, drawing, write
from solidrec.report.section import Charts, Section
from solidrec.report.tables import measure_tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLORS = {"UAUC": RUN_COLORS[0][0], "NDCG@10": RUN_COLORS[2][0], "Recall@10": RUN_COLORS[1][0]}
"""The colours of the paper's figure: blue, green and orange."""
_RADIUS = (4.0, 13.0)
"""Radius of the smallest and of the largest value, in points."""
_FAINT = 0.25
_HOW = (
    "Drawn as the paper's Figure 5: λ to the right, T upwards; the larger the value, the larger "
    "and the deeper the circle. Size and depth run from the smallest to the largest value of each "
    "grid, so small differences look large: read the numbers. The best place has a ring."
)


def penalty_and_clip(of: Material) -> Section:
    """Return the circles and values of every protocol; empty unless the rows vary λ and T."""
    if of.plan.layout != LAYOUT:
        return Section()
    charts = []
    for table in of.tables:
        drawn = [
            (sweep.metric, _circles(sweep, label=f"{sweep.metric} over λ and T, {table.label}"))
            for sweep in sweeps(of.plan, of.measured.get(table.protocol, ()))
            if sweep.found
        ]
        charts += [Charts(drawn, table.label)] if drawn else []
    return Section(charts=charts, how=_HOW, tables=measure_tables(of, "sweep"))


def _circles(sweep: Sweep, *, label: str) -> str:
    """Draw one metric over the grid of λ and T."""
    low, high = min(sweep.found), max(sweep.found)

    def paint(axes: Axes) -> None:
        for d, line in enumerate(sweep.values):
            for a, value in enumerate(line):
                if value is None:
                    axes.annotate("–", (a, d), ha="center", va="center", color=MUTED)
                    continue
                # 0 for the smallest value, 1 for the largest
                depth = (value - low) / (high - low) if high > low else 0.5
                _circle(axes, (a, d), depth, _COLORS[sweep.metric], best=value == sweep.best)
                write(axes, f"{value:.4f}", (a, d), by=(0, -23), ha="center", fontsize=7)
        axes.set_xticks(range(len(sweep.across)), sweep.across)
        axes.set_yticks(range(len(sweep.down)), sweep.down)
        axes.set_xlim(-0.55, len(sweep.across) - 0.45)
        axes.set_ylim(-0.65, len(sweep.down) - 0.5)
        axes.set_xlabel(SIGNS[ACROSS])
        axes.set_ylabel(SIGNS[DOWN], rotation=0, labelpad=8)

    return drawing(paint, height=0.6 + 0.62 * len(sweep.down), label=label)


def _circle(axes: Axes, at: tuple[int, int], depth: float, color: str, *, best: bool) -> None:
    """Draw the circle of one value, with a ring around the best."""
    size = 2 * (_RADIUS[0] + (_RADIUS[1] - _RADIUS[0]) * depth)
    alpha = _FAINT + (1 - _FAINT) * depth
    axes.plot(*at, "o", color=color, markersize=size, alpha=alpha, markeredgewidth=0)
    if best:
        ring: dict[str, Any] = {"color": "none", "markeredgecolor": INK, "markeredgewidth": 1}
        axes.plot(*at, "o", markersize=size + 4, **ring)
