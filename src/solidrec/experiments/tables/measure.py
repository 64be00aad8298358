"""Tables of other measures than ranking: cost, stability, two settings together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

from solidrec.experiments.tables.measured import Measured
from solidrec.text_grid import Grid, csv_text

_COLUMNS = "table,row,seed,quantity,value"


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


def numbers_of(rows: Iterable[Measured], metrics: Sequence[str], quantity: str) -> list[Number]:
    """Return each metric of each row and seed; `quantity` has ``{}`` where the metric's name is."""
    return [
        Number(row.name, seed, quantity.format(metric), value)
        for row in rows
        for metric in metrics
        for seed, value in zip(row.seeds, row.of_seeds(metric) or (), strict=False)
    ]


def measures_csv(tables: Sequence[MeasureTable]) -> str:
    """Return the raw numbers as CSV, one per line."""
    return csv_text(
        _COLUMNS, ((table.name, *number) for table in tables for number in table.numbers)
    )
