"""The tables of an experiment as HTML, from the grids that text, Markdown and LaTeX share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from solidrec.experiments.tables.result_text import grids
from solidrec.report.material import Material
from solidrec.report.page import escape, heading, paragraph, table, tag
from solidrec.report.plots import Series
from solidrec.text_grid import Entry, Grid

_SENTENCE = 40
"""Length beyond which a cell of a grid is a sentence and no number."""


def result_tables(of: Material) -> str:
    """Return the tables of every protocol with their comparisons and notes."""
    parts = []
    for found in of.tables:
        parts.append(heading(found.label))
        parts += [grid_markup(grid, of.looks) for grid in grids(found)]
        parts += _notes_markup(found.notes)
    return "\n".join(parts)


def measure_markup(of: Material, name: str) -> str:
    """Return the table of another measure with its notes, empty where it was not measured."""
    found = of.measure(name)
    if found is None:
        return ""
    return "\n".join(
        [*(grid_markup(grid, of.looks) for grid in found.grids), *_notes_markup(found.notes)]
    )


def _notes_markup(notes: Sequence[str]) -> list[str]:
    """Return the sentences under a table, with text in backticks as code."""
    return [
        paragraph(re.sub("`([^`]+)`", r"<code>\1</code>", escape(note)), kind="muted small")
        for note in notes
    ]


def grid_markup(grid: Grid, looks: Mapping[str, Series]) -> str:
    """Return a grid as a table with coloured row markers and a line for each block."""
    grid, rows, before = _trimmed(grid), [], ""
    for block, line in zip(grid.blocks, grid.lines, strict=True):
        if block != before:
            rows.append([f'<span class="muted">{escape(block)}</span>', *[""] * (len(line) - 1)])
            before = block
        rows.append([_named(line[0], looks), *(_part_markup(part) for part in line[1:])])
    return table([escape(head) for head in grid.heads], rows, caption=grid.title)


def _named(part: Entry, looks: Mapping[str, Series]) -> str:
    """Return the name of a row, with its marker if it has one."""
    look = looks.get(part.text)
    return escape(part.text) if look is None else tag(replace(look, label=part.text))


def _part_markup(part: Entry) -> str:
    """Return one cell: a spread below its mean, the best of a column in bold, sentences wrapped."""
    mean, spread, rest = part.text.partition(" ± ")
    text = escape(mean + "*" * rest.endswith("*")) + (
        f"<small>± {escape(rest.removesuffix('*'))}</small>" if spread else ""
    )
    kind = "best" if part.bold else "words" if len(part.text) > _SENTENCE else ""
    return f'<span class="{kind}">{text}</span>' if kind else text


def _trimmed(grid: Grid) -> Grid:
    """Drop a last column without heading that is the same in every line, as the notes say it."""
    same = all(one[-1] == other[-1] for one, other in pairwise(grid.lines))
    if grid.heads[-1] or not same:
        return grid
    return replace(grid, heads=grid.heads[:-1], lines=tuple(line[:-1] for line in grid.lines))
