"""Table 4 of an experiment, and the spread of stability over its users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from solidrec.arrays import Array
from solidrec.evaluate.stability import METRICS
from solidrec.experiments.tables.stability import STABILITY, THOUSAND, name_of, steadiness
from solidrec.report.material import Material
from solidrec.report.plots import INK, Series, drawing, few_ticks
from solidrec.report.section import Charts, Section
from solidrec.report.tables import measure_tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PARTS = (5, 25, 50, 75, 95)
_HOW = (
    "Each box is of the users' standard deviations (the roots of the variances, averaged over "
    "seeds): the thick line has the middle half of the users, the thin one nine tenths, the point "
    "is the median, the upright the mean."
)


def stability(of: Material) -> Section:
    """Return the charts and tables of stability, empty where it was not measured."""
    tables = measure_tables(of, STABILITY)
    if not tables:
        return Section()
    rows = steadiness(of.plan, of.results)
    drawn = []
    for metric in METRICS:
        # `per_user` has -1000 times the variance of each seed and user
        counted = []
        for row in rows:
            values = np.sqrt(-row.per_user[name_of(metric)].mean(0) / THOUSAND)
            if len(values := values[~np.isnan(values)]):
                counted.append((of.looks[row.name], values))
        if counted:
            caption = f"{metric}: how far one more event moves a user"
            label = f"Spread of the stability of {metric}"
            drawn.append((caption, _boxes(counted, label=label)))
    return Section(charts=[Charts(drawn)] if drawn else [], how=_HOW, tables=tables)


def _boxes(rows: Sequence[tuple[Series, Array]], *, label: str) -> str:
    """Draw the spread of the values of each row, the first row on top."""

    def paint(axes: Axes) -> None:
        for place, (series, values) in enumerate(rows):
            low, first, middle, third, high = np.percentile(values, _PARTS)
            color, flat = series.color, [place, place]
            axes.plot([low, high], flat, color=color, linewidth=1.2, solid_capstyle="butt")
            axes.plot(
                [first, third], flat, color=color, linewidth=7, solid_capstyle="butt", alpha=0.5
            )
            axes.plot(
                [middle], [place], marker=series.marker, color=color, markersize=5, clip_on=False
            )
            axes.plot([values.mean()] * 2, [place - 0.22, place + 0.22], color=INK, linewidth=1.2)
        axes.set_yticks(range(len(rows)), [series.label for series, _ in rows], color=INK)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(left=0)
        axes.tick_params(axis="y", pad=7)
        axes.set_xlabel("standard deviation")
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(few_ticks(most=5))

    return drawing(paint, height=0.6 + 0.3 * len(rows), label=label)
