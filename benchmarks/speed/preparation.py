"""Measure what happens before training: reading a log, and the start of the program."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from solidrec.data.prepare import prepare as prepare_log
from speed.data import synthetic_log
from speed.measurement import MILLISECONDS, Subject, Timed, timed

ROWS, USERS, ITEMS = 1_000_000, 50_000, 20_000


def prepare_reading(folder: Path) -> Callable[[], Timed]:
    """Return a function that prepares a synthetic Parquet log (string ids) in a scratch folder."""
    log = folder / "synthetic.parquet"
    if not log.exists():
        synthetic_log(users=USERS, items=ITEMS, events=ROWS).write_parquet(log)

    def run() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            prepare_log(log, out=Path(scratch) / "data")

    return lambda: timed(ROWS, run)


def prepare_start(words: Sequence[str], folder: Path) -> Callable[[], Timed]:
    """Return a function that starts Python with `words` and measures that process's CPU time."""

    def run() -> Timed:
        before, wall = children(), time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
        return Timed(1, children() - before, time.perf_counter() - wall)

    return run


def children() -> float:
    """Return the CPU seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


STARTS = {
    "start/python": ("-c", "pass"),
    "start/import solidrec": ("-c", "import solidrec"),
    "start/solidrec --help": ("-m", "solidrec.cli", "--help"),
}
SUBJECTS = {
    "prepare/parquet": Subject("rows", prepare_reading, memory=True),
    **{
        name: Subject("start", partial(prepare_start, words), shown=MILLISECONDS)
        for name, words in STARTS.items()
    },
}
