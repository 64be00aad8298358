"""Tables of other measures than ranking: cost, stability, two settings together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

from solidrec.experiments.tables.text import Grid, csv_text, grid_latex, grid_markdown

_COLUMNS = ("table", "row", "seed", "quantity", "value")


class Number(NamedTuple):
    """One raw number of a row and seed; ``value`` is None if it was not measured."""

    row: str
    seed: int
    quantity: str
    value: float | None


@final
@dataclass(frozen=True)
class MeasureTable:
    """Grids with notes below them; ``numbers`` are the raw values that the grids sum up."""

    name: str
    title: str
    grids: tuple[Grid, ...]
    notes: tuple[str, ...]
    numbers: tuple[Number, ...]


def measure_markdown(table: MeasureTable) -> str:
    """Return a table as Markdown."""
    return "\n\n".join([*map(grid_markdown, table.grids), *table.notes]) + "\n"


def measure_latex(table: MeasureTable) -> str:
    """Return a table as LaTeX, with its notes below the first grid."""
    first, *rest = table.grids
    return "\n".join([grid_latex(first, table.notes), *map(grid_latex, rest)])


def measures_csv(tables: Sequence[MeasureTable]) -> str:
    """Return the raw numbers as CSV, one per line."""
    return csv_text(
        _COLUMNS, ((table.name, *number) for table in tables for number in table.numbers)
    )
