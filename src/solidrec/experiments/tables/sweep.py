"""Figure 5 of an experiment: one metric over two settings, the penalty weight λ and the clip T."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.measure import MeasureTable, Number, numbers_of
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.result_table import PAPER_NEGATIVES, protocol_label
from solidrec.text_grid import NONE, Entry, Grid

LAYOUT = "figure5"
ACROSS, DOWN = "train.codebook_weight", "model.clip"
SIGNS = {ACROSS: "λ", DOWN: "T"}
_METRICS = ("UAUC", "NDCG@10", "Recall@10")
_NOTE = (
    "The best value of each grid is bold; the paper finds its best at λ = 0.1 and T = 0.01, "
    "without giving numbers."
)
_ONE_SEED = "One training seed: a difference between two places is of these trainings only."


@final
@dataclass(frozen=True)
class Sweep:
    """A metric over two axes: ``values[d][a]`` at ``down[d]`` and ``across[a]``, or None."""

    metric: str
    across: tuple[str, ...]
    down: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]

    @property
    def best(self) -> float | None:
        """The greatest value, None where there are fewer than two."""
        found = self.found
        return max(found) if len(found) > 1 else None

    @property
    def found(self) -> list[float]:
        """The values of finished runs."""
        return [value for line in self.values for value in line if value is not None]


def sweeps(plan: Plan, rows: Sequence[Measured]) -> list[Sweep]:
    """Return one grid per metric, of rows that have both axes, in the order of the numbers."""
    places = [row.labels for row in plan.rows if ACROSS in row.labels and DOWN in row.labels]
    across, down = (
        tuple(sorted({labels[axis] for labels in places}, key=float)) for axis in (ACROSS, DOWN)
    )
    at = {(row.labels.get(DOWN), row.labels.get(ACROSS)): row for row in rows}
    found = []
    for metric in _METRICS:
        means = {place: row.mean(metric) for place, row in at.items()}
        values = tuple(tuple(means.get((d, a)) for a in across) for d in down)
        found.append(Sweep(metric, across, down, values))
    return found


def sweep_table(
    plan: Plan, results: Results, measured: Mapping[str, Sequence[Measured]]
) -> MeasureTable | None:
    """Return the grids of every protocol; None for another layout or if nothing is finished."""
    if plan.layout != LAYOUT:
        return None
    grids: list[Grid] = []
    numbers: list[Number] = []
    for protocol in plan.protocols:
        rows = measured.get(protocol, ())
        label = protocol_label(protocol, results.negatives(plan) or PAPER_NEGATIVES)
        grids += [_grid_of(plan.title, label, sweep) for sweep in sweeps(plan, rows) if sweep.found]
        numbers += numbers_of(rows, _METRICS, f"{{}} ({label})")
    notes = (_NOTE, *([_ONE_SEED] if plan.seeds == 1 else []))
    return MeasureTable("sweep", "λ and T", tuple(grids), notes, tuple(numbers)) if grids else None


def _grid_of(title: str, label: str, sweep: Sweep) -> Grid:
    """Return one metric as a grid: T downwards, λ across."""
    lines = [
        (
            f"{SIGNS[DOWN]} = {name}",
            *(NONE if v is None else Entry(f"{v:.4f}", v == sweep.best) for v in line),
        )
        for name, line in zip(sweep.down, sweep.values, strict=True)
    ]
    heads = (f"{SIGNS[DOWN]} \\ {SIGNS[ACROSS]}", *sweep.across)
    return Grid.of(f"{title}: {sweep.metric} ({label})", heads, lines)
