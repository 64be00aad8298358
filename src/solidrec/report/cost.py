"""The cost of an experiment's rows (Table 5), with a chart of their parameters by component."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from solidrec.experiments.results import Record
from solidrec.experiments.tables.cost import COST, PARTS, records_of
from solidrec.report.material import Material
from solidrec.report.plots import (
    BASELINE_COLORS,
    INK,
    RUN_COLORS,
    Series,
    drawing,
    few_ticks,
    value_after,
)
from solidrec.report.section import Charts, Section
from solidrec.report.tables import measure_tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TONES = [light for light, _ in (BASELINE_COLORS[0], *RUN_COLORS, BASELINE_COLORS[1])]


def cost(of: Material) -> Section:
    """Return the table and the chart of costs, empty where cost was not measured."""
    tables = measure_tables(of, COST)
    if not tables:
        return Section()
    found = records_of(of.plan, of.results)
    owned = set().union(*(record["parameters"] for record in found.values()))
    parts = [part for part in PARTS if part in owned]
    looks = {
        part: Series(part, _TONES[at % len(_TONES)], "s", "■", hollow=False)
        for at, part in enumerate(parts)
    }
    names = {row: of.looks[row].label for row in found}
    drawn = [("Parameters, thousands", _stacked(found, names, looks))]
    return Section(charts=[Charts(drawn, legend=list(looks.values()))], tables=tables)


def _stacked(
    found: Mapping[str, Record], names: Mapping[str, str], looks: Mapping[str, Series]
) -> str:
    """Draw the parameters of each row as a stacked bar of components."""

    def paint(axes: Axes) -> None:
        for place, record in enumerate(found.values()):
            start = 0.0
            for part, look in looks.items():
                count = record["parameters"].get(part, 0) / 1000
                axes.barh(place, count, left=start, height=0.7, color=look.color, linewidth=0)
                start += count
            value_after(axes, f"{start:,.0f}", (start, place), size=8)
        axes.set_yticks(range(len(found)), [names[row] for row in found], color=INK)
        axes.set_ylim(len(found) - 0.45, -0.55)
        axes.margins(x=0.12)
        axes.set_xlim(left=0)
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(few_ticks())

    return drawing(
        paint, height=0.4 + 0.28 * len(found), label="Parameters of each row by component"
    )
