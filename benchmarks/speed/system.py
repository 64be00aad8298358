"""Measured systems: commands that run in processes of their own and measure on demand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

from solidrec.errors import SolidrecError
from speed.measurement import PER_SECOND, Sample

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
        System(name, (*here, name, str(folder)), of.unit, of.shown, of.flops, of.memory)
        for name, of in SUBJECTS.items()
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
        counts = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
        env = os.environ | dict.fromkeys(counts, str(threads))
        env |= {"OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": search_path()}
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
