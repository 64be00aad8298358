"""The tables of a report, from the grids that text, Markdown and LaTeX share."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from solidrec.experiments.tables.few_events import FEW_EVENTS
from solidrec.experiments.tables.result_text import grids
from solidrec.report.material import Material
from solidrec.report.section import Section, Tables
from solidrec.text_grid import Grid


def result_tables(of: Material) -> Section:
    """Return the tables of every protocol with their comparisons and notes."""
    shown = [
        Tables([*map(_trimmed, grids(found))], found.notes, heading=found.label, looks=of.looks)
        for found in of.tables
    ]
    return Section(tables=shown)


def few_events(of: Material) -> Section:
    """Return the tables of users of few events, empty where that was not measured."""
    return Section(tables=measure_tables(of, FEW_EVENTS))


def measure_tables(of: Material, name: str) -> list[Tables]:
    """Return the tables of another measure with their notes, none where it was not measured."""
    found = of.measure(name)
    if found is None:
        return []
    return [Tables([*map(_trimmed, found.grids)], found.notes, looks=of.looks)]


def _trimmed(grid: Grid) -> Grid:
    """Drop a last column without heading that is the same in every line, as the notes say it."""
    same = all(one[-1] == other[-1] for one, other in pairwise(grid.lines))
    if grid.heads[-1] or not same:
        return grid
    return replace(grid, heads=grid.heads[:-1], lines=tuple(line[:-1] for line in grid.lines))
