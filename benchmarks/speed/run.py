"""Run a benchmark: systems in processes of their own that measure in turn, once per round."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

from solidrec.errors import SolidrecError
from speed.measurement import CPU, PER_SECOND, WALL, Row, Sample, rows_of

PRODUCT = "matrix product/"
"""Prefix of the systems that measure how fast this machine computes."""


@final
@dataclass(frozen=True)
class System:
    """A command that speaks the worker's protocol; an `optional` one may fail to start."""

    name: str
    command: tuple[str, ...]
    unit: str
    shown: str = PER_SECOND
    flops: float | None = None
    memory: bool = False
    optional: bool = False

    @property
    def group(self) -> str:
        """The part of the name before the slash; systems of one group take turns."""
        return self.name.partition("/")[0]


def our_systems(folder: Path) -> list[System]:
    """Return all systems that need no peer."""
    from speed.worker import SUBJECTS

    here = (sys.executable, "-m", "speed.worker")
    return [
        System(
            name,
            (*here, name, str(folder)),
            subject.unit,
            subject.shown,
            subject.flops,
            subject.memory,
        )
        for name, subject in SUBJECTS.items()
    ]


def search_path() -> str:
    """Return the PYTHONPATH of a system: this package's folder and the present path."""
    here = str(Path(__file__).resolve().parents[1])
    return os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))


@final
class Worker:
    """A running system."""

    def __init__(self, system: System, *, threads: int) -> None:
        self.system, self.samples, self.first_mb = system, list[Sample](), 0.0
        limits = {
            name: str(threads)
            for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
        }
        env = os.environ | limits | {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": search_path()}
        with ExitStack() as opened:
            self.complaints = opened.enter_context(
                tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")
            )
            self.process = opened.enter_context(
                subprocess.Popen(
                    system.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self.complaints,
                    text=True,
                    env=env,
                )
            )
            self.answer()
            self.opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.process.terminate()
        self.opened.close()

    def measure(self, *, keep: bool) -> None:
        """Measure once; memory that the first call adds always counts, as it stays allocated."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write("again\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # what it has to say is read below
        sample = Sample(**self.answer())
        if not keep:
            self.first_mb = sample.extra_mb or 0.0
        else:
            extra = None if sample.extra_mb is None else max(sample.extra_mb, self.first_mb)
            self.samples.append(sample._replace(extra_mb=extra))

    def answer(self) -> dict[str, Any]:
        """Read the next line, or raise `SolidrecError` with the last line of standard error."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.complaints.seek(0)
            said = self.complaints.read().strip().splitlines()
            raise SolidrecError(
                f"{self.system.name}: "
                f"the measured process ended ({said[-1] if said else 'without a word'})"
            )
        found: dict[str, Any] = json.loads(line)
        return found


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
                say(
                    "without "
                    f"{error if isinstance(error, SolidrecError) else f'{system.name}: {error}'}"
                )
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
    fastest = {
        clock: max(
            (
                row.value
                for system, rows in by_system.items()
                for row in rows
                if system.name.startswith(PRODUCT) and row.unit.endswith(f"/{clock}")
            ),
            default=None,
        )
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
