"""What a measurement is: a subject to repeat, its samples, and their row in the table.

Work is counted in units (positives, users, rows, calls) and divided by two clocks: CPU seconds,
which do not depend on the load of the machine, and wall seconds, which are what a person waits.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, final

PER_SECOND, MILLISECONDS = "per second", "ms"
CPU, WALL = "cpu-s", "s"


class Timed(NamedTuple):
    """One repeat: how much ``work`` was done in how many seconds of ``cpu`` and ``wall``."""

    work: float
    cpu: float
    wall: float


class Sample(NamedTuple):
    """One repeat of a worker: `Timed`, peak memory of the process, and memory that it added."""

    work: float
    cpu: float
    wall: float
    peak_mb: float
    extra_mb: float | None = None


@final
@dataclass(frozen=True)
class Subject:
    """Something that can be measured.

    ``prepare(folder)`` gets the folder of the benchmark's data and returns the function that does
    the work once. ``flops`` is the arithmetic of one unit of work (`floor`), or None if it is not
    the point. ``shown`` is the form of the figures: a rate or ms.
    """

    unit: str
    prepare: Callable[[Path], Callable[[], Timed]]
    shown: str = PER_SECOND
    flops: float | None = None
    memory: bool = False


@final
@dataclass(frozen=True)
class Row:
    """One figure of the table.

    ``peer`` names the best of the rows that it is compared with, ``ratio`` is how many times better
    this one is, and ``ratios`` has that for each of them. ``floor_percent`` is the time of the
    arithmetic alone as a share of the measured time. ``low`` and ``high`` are the extremes of
    repeats.
    """

    name: str
    value: float
    unit: str
    threads: int
    low: float
    high: float
    peer: str | None = None
    ratio: float | None = None
    floor_percent: float | None = None
    ratios: dict[str, float] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, int]:
        """The name, unit and threads, which identify a figure in every run."""
        return self.name, self.unit, self.threads

    @property
    def more_is_better(self) -> bool:
        """Whether the figure is a rate; times and memory are better when smaller."""
        return self.unit.endswith((f"/{CPU}", f"/{WALL}", "FLOP/s"))

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)


def timed(work: float, run: Callable[[], object]) -> Timed:
    """Time one call that does `work`."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return Timed(work, time.process_time() - cpu, time.perf_counter() - wall)


def rows_of(
    name: str,
    samples: Sequence[Sample],
    *,
    unit: str,
    threads: int,
    shown: str = PER_SECOND,
    memory: bool = False,
) -> list[Row]:
    """Turn the samples of a subject into rows: per CPU second, per second, and memory if asked for.

    >>> [row.value for row in rows_of("train", [Sample(10, 2, 1, 5)], unit="positives", threads=1)]
    [5.0, 10.0]
    >>> rows = rows_of("score", [Sample(4, 2, 1, 5)], unit="call", threads=1, shown="ms")
    >>> [(row.value, row.unit) for row in rows]
    [(500.0, 'ms cpu/call'), (250.0, 'ms/call')]
    """
    figures: dict[str, list[float]]
    if shown == MILLISECONDS:
        figures = {
            f"ms cpu/{unit}": [1000 * sample.cpu / sample.work for sample in samples],
            f"ms/{unit}": [1000 * sample.wall / sample.work for sample in samples],
        }
    else:
        figures = {
            f"{unit}/{CPU}": [sample.work / sample.cpu for sample in samples],
            f"{unit}/{WALL}": [sample.work / sample.wall for sample in samples],
        }
    if memory:
        figures["MB peak"] = [max(sample.peak_mb for sample in samples)]
    extra = [sample.extra_mb for sample in samples if sample.extra_mb is not None]
    if extra and shown == MILLISECONDS and memory:
        figures["MB extra"] = [max(extra)]
    return [
        Row(name, median(values), unit, threads, min(values), max(values))
        for unit, values in figures.items()
    ]
