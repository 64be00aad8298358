"""Bar charts of an experiment (Figures 3 and 4 of the paper): one bar with interval per row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np

from solidrec.experiments.tables.result_table import PAPER_NEGATIVES, ResultTable
from solidrec.experiments.tables.sweep import LAYOUT
from solidrec.metrics import Ranks, per_row
from solidrec.report.material import Material
from solidrec.report.plots import INK, MUTED, Series, drawing, few_ticks, value_after, write
from solidrec.report.section import Charts, Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_METRICS = ("UAUC", "NDCG@10", "Recall@10")
_ALIKE = Ranks(
    greater=np.array([0]),
    ties=np.array([PAPER_NEGATIVES]),
    candidates=np.array([PAPER_NEGATIVES + 1]),
)
"""One target among the paper's sampled negatives, where all candidates have the same score."""
_CHANCE = {name: float(values[0]) for name, values in per_row(_ALIKE, (10,)).items()}
"""The metrics of a constant score among 100 candidates."""
_HOW = (
    "Bars start at chance, what a constant score would get (0 where all items compete and the "
    "metric is of the first ten), so that their lengths compare. Lines are 95 % intervals over "
    "users and seeds (over users only for one seed)."
)


@final
@dataclass(frozen=True)
class Bar:
    """One bar: the look of its row, its value, and its interval if it is known."""

    series: Series
    value: float
    low: float | None
    high: float | None


Groups = Sequence[tuple[str, Sequence[Bar]]]


def bars(of: Material) -> Section:
    """Return the bar charts of every protocol; a sweep over λ and T has its own figure instead."""
    charts: list[Charts] = []
    if of.plan.layout == LAYOUT:
        return Section()
    for table in of.tables:
        label = f"of each row, {table.label}"
        drawn = [
            (metric, _bar_chart(found, _start(metric, table), label=f"{metric} {label}"))
            for metric in _METRICS
            if (found := _groups(table, metric, of))
        ]
        charts += [Charts(drawn, table.label)] if drawn else []
    return Section(charts=charts, how=_HOW)


def _start(metric: str, table: ResultTable) -> float:
    """Return the chance level of a metric, where its bars start.

    It is the level among 100 candidates, but nearly 0 for the first ten of a whole catalogue.
    """
    return _CHANCE[metric] if table.protocol == "paper" or metric == "UAUC" else 0.0


def _groups(table: ResultTable, metric: str, of: Material) -> Groups:
    """Return the bars of a metric, grouped by block of the table."""
    found: dict[str, list[Bar]] = {}
    for line in table.lines:
        cell = next((cell for cell in line.cells if cell.metric == metric), None)
        if cell is not None and cell.mean is not None:
            found.setdefault(line.block, []).append(
                Bar(of.looks[line.name], cell.mean, cell.low, cell.high)
            )
    return list(found.items())


def _bar_chart(found: Groups, chance: float, *, label: str) -> str:
    """Draw groups of bars that start at `chance`, the first group on top."""
    rows = sum(len(group) + bool(name) for name, group in found)

    def paint(axes: Axes) -> None:
        place, places, names = 0, [], []
        for name, group in found:
            if name:
                style = {"va": "center", "color": MUTED, "fontsize": 8, "fontstyle": "italic"}
                write(axes, name, (0, place + 0.15), by=(2, 0), aside=True, **style)
                place += 1
            for bar in group:
                _one(axes, bar, place, chance)
                places.append(place)
                names.append(bar.series.label)
                place += 1
        axes.set_yticks(places, names, color=INK, fontsize=8)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.axvline(chance, color=MUTED, linewidth=0.9)
        axes.grid(False, axis="y")
        axes.margins(x=0.14)
        axes.xaxis.set_major_locator(few_ticks(most=4))

    return drawing(paint, height=0.45 + 0.2 * rows, label=label)


def _one(axes: Axes, bar: Bar, place: int, chance: float) -> None:
    """Draw one bar with its interval, and its value at the end."""
    color = bar.series.color
    face = "none" if bar.series.hollow else color
    look: dict[str, Any] = {"height": 0.72, "linewidth": 1, "facecolor": face, "edgecolor": color}
    axes.barh(place, bar.value - chance, left=chance, **look)
    end = bar.value
    if bar.low is not None and bar.high is not None:
        axes.plot(
            [bar.low, bar.high], [place, place], color=INK, linewidth=1.1, solid_capstyle="butt"
        )
        end = max(bar.high, bar.value)
    value_after(axes, f"{bar.value:.3f}", (max(end, chance), place), size=7)
