"""The live view of a running experiment: its rows, their metrics so far, and the time left."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Self, final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from solidrec.console import say
from solidrec.experiments.grid import Cell
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results

_SHOWN = ("UAUC", "NDCG@10", "Recall@10")


@final
class Board:
    """The live table of an experiment, or a line per finished cell if stderr is no terminal."""

    def __init__(self, plan: Plan, results: Results, *, jobs: int, to: Console) -> None:
        self.plan, self.results, self.jobs = plan, results, jobs
        self.started = time.monotonic()
        self.errors: list[str] = []
        self.live = (
            Live(console=to, get_renderable=self.render, refresh_per_second=1, transient=True)
            if to.is_terminal
            else None
        )

    def __enter__(self) -> Self:
        if self.live:
            self.live.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self.live:
            self.live.stop()

    def done(self, cell: Cell) -> None:
        """Report the metrics of a finished cell."""
        if self.live:
            return
        found, seconds = self._metrics(cell.key), self.results.records[cell.key]["seconds"]
        figures = " ".join(
            f"{name} {found[name]:.4f}" for name in _SHOWN if found.get(name) is not None
        )
        say(
            f"{self.counted()} {cell.row} seed {cell.seed}: {figures} ({seconds:.0f} s); "
            f"{self.left()}"
        )

    def _metrics(self, key: str) -> Mapping[str, float | None]:
        """Return the metrics of a finished cell under the first protocol."""
        metrics: Mapping[str, float | None] = self.results.records[key]["evaluations"][
            self.plan.protocols[0]
        ]["metrics"]
        return metrics

    def failed(self, cell: Cell, error: Exception) -> None:
        """Report that a cell failed; the others go on."""
        self.errors.append(f"{cell.row} seed {cell.seed} failed: {error}")
        if not self.live:
            say(self.errors[-1])

    def counted(self) -> str:
        """Return how many cells are finished, as text."""
        cells = len({place.key for place in self.plan.places})
        return f"[{cells - len(self.missing())}/{cells}]"

    def missing(self) -> dict[str, str]:
        """Return the rows of the cells that are not finished, by key."""
        return {place.key: place.row for place in self.results.missing(self.plan)}

    def left(self) -> str:
        """Estimate the time left from the mean time of a row's finished cells, or of all."""
        seconds: dict[str, list[float]] = {}
        for place in self.plan.places:
            if place.key in self.results.records:
                seconds.setdefault(place.row, []).append(self.results.records[place.key]["seconds"])
        if not seconds:
            return "time left not known yet"
        usual = mean(value for values in seconds.values() for value in values)
        total = sum(mean(seconds.get(row, [usual])) for row in self.missing().values()) / self.jobs
        return f"about {_clock(total)} left"

    def render(self) -> Group:
        """Return the table with the progress and the errors below it."""
        table = Table(
            title=Text(f"{self.plan.title}, on {self.plan.data_name}"), title_justify="left"
        )
        table.add_column("row")
        for name in ("cells", *_SHOWN):
            table.add_column(name, justify="right")
        missing = self.missing()
        for row, places in self.plan.by_row(self.plan.places):
            found = [self._metrics(place.key) for place in places if place.key not in missing]
            figures = [_figure([each.get(name) for each in found]) for name in _SHOWN]
            table.add_row(Text(row.name), f"{len(found)}/{len(places)}", *figures)
        took = _clock(time.monotonic() - self.started)
        line = f"{self.counted()} cells, {self.jobs} at a time, {took} so far, {self.left()}"
        return Group(table, Text(line), *(Text(each, style="red") for each in self.errors))


def _figure(values: Sequence[float | None]) -> str:
    """Return the mean of the cells that have the metric, or nothing.

    >>> _figure([0.25, None, 0.75]), _figure([None])
    ('0.5000', '')
    """
    known = [value for value in values if value is not None]
    return f"{mean(known):.4f}" if known else ""


def _clock(seconds: float) -> str:
    """Format a duration.

    >>> _clock(42), _clock(95), _clock(7260)
    ('42 s', '1 min 35 s', '2 h 1 min')
    """
    minutes, whole = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {whole} s" if minutes else f"{whole} s"
    return f"{minutes // 60} h {minutes % 60} min"
