"""Run a benchmark: systems in processes of their own that measure in turn, once per round."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from solidrec.errors import SolidrecError
from speed.measurement import CPU, WALL, Row, Sample, rows_of
from speed.system import PRODUCT, System, Worker


def run(
    systems: Iterable[System],
    *,
    threads: Sequence[int],
    repeats: int,
    say: Callable[[str], None] = lambda line: None,
    step: Callable[[int], None] = lambda count: None,
) -> list[Row]:
    """Measure every system with each number of threads, group by group, and return the rows."""
    rows, together = [], groups(systems)
    for count in threads:
        found: dict[System, list[Sample]] = {}
        for group, members in together.items():
            say(f"{group}, {count} thread{'s' if count > 1 else ''}: {len(members)} systems")
            for system, samples in measure(
                members, threads=count, repeats=repeats, say=say, step=step
            ):
                found.setdefault(system, []).extend(samples)
        rows += with_floor(found, threads=count)
    return rows


def groups(systems: Iterable[System]) -> dict[str, list[System]]:
    """Return the systems by group; the matrix products join each group that has a floor."""
    systems = list(systems)
    products = [system for system in systems if system.name.startswith(PRODUCT)]
    found: dict[str, list[System]] = {}
    for system in systems:
        if system not in products:
            found.setdefault(system.group, []).append(system)
    return {
        group: [*products, *members] if any(system.flops for system in members) else members
        for group, members in found.items()
    }


def total_steps(systems: Iterable[System], *, threads: Sequence[int], repeats: int) -> int:
    """Return how many measurements `run` takes."""
    return sum(map(len, groups(systems).values())) * len(threads) * (repeats + 1)


def measure(
    systems: Sequence[System],
    *,
    threads: int,
    repeats: int,
    say: Callable[[str], None],
    step: Callable[[int], None],
) -> list[tuple[System, list[Sample]]]:
    """Let systems measure in turn: one round that does not count, then `repeats` that do."""
    with ExitStack() as stack:
        workers = []
        for system in systems:
            try:
                workers.append(stack.enter_context(Worker(system, threads=threads)))
            except (SolidrecError, OSError) as error:
                if not system.optional:
                    raise
                named = isinstance(error, SolidrecError)
                say(f"without {error}" if named else f"without {system.name}: {error}")
        for number in range(repeats + 1):
            for worker in workers:
                worker.measure(keep=number > 0)
                step(1)
        return [(worker.system, worker.samples) for worker in workers]


def with_floor(found: Mapping[System, Sequence[Sample]], *, threads: int) -> list[Row]:
    """Turn samples into rows with their share of the floor that this run's matrix products give."""
    by_system = {
        system: rows_of(
            system.name,
            samples,
            unit=system.unit,
            threads=threads,
            shown=system.shown,
            memory=system.memory,
        )
        for system, samples in found.items()
    }
    rates = [
        row for system, rows in by_system.items() for row in rows if system.name.startswith(PRODUCT)
    ]
    fastest = {
        clock: max((row.value for row in rates if row.unit.endswith(f"/{clock}")), default=None)
        for clock in (CPU, WALL)
    }
    return [
        floored(row, system.flops, fastest) for system, rows in by_system.items() for row in rows
    ]


def floored(row: Row, flops: float | None, gflops: Mapping[str, float | None]) -> Row:
    """Return a row with its share of the arithmetic floor: floor time over measured time."""
    clock = CPU if "cpu" in row.unit else WALL
    rate = gflops[clock]
    if flops is None or rate is None or row.unit.startswith("MB"):
        return row
    floor_seconds = flops / (rate * 1e9)
    seconds = 1 / row.value if row.more_is_better else row.value / 1000
    return replace(row, floor_percent=100 * floor_seconds / seconds)


def machine() -> dict[str, Any]:
    """Return the machine that the figures are measured on."""
    import torch

    name = platform.processor()
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        lines = facts.read_text().splitlines()
        name = next(
            (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
            name,
        )
    return {
        "cpu": name or platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
