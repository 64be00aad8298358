"""Run one subject in its own process: it measures once for each line on standard input.

    python -m speed.worker train/static/sasrec FOLDER

The first line on standard output says that it is ready; each later one is a `Sample` as JSON. A
waiting process costs nothing, so several systems take turns, each with its own peak memory.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import torch

from speed import inference, preparation, training
from speed.floor import SHAPES, matrix_product
from speed.measurement import Sample, Subject, Timed

SUBJECTS: dict[str, Subject] = {
    **{f"matrix product/{shape}": matrix_product(shape) for shape in SHAPES},
    **training.SUBJECTS,
    **inference.SUBJECTS,
    **preparation.SUBJECTS,
}
"""Everything that needs no peer, in the order of the table."""
RESET_PEAK = "5"  # what Linux's clear_refs takes to reset VmHWM


def serve(measure: Callable[[], Timed], *, name: str, requests: TextIO, answers: TextIO) -> None:
    """Answer each line of `requests` with one sample, after a first line when all is set up."""
    print(json.dumps({"ready": name}), file=answers, flush=True)
    peak = peak_mb()
    for _ in requests:
        before = start_of_peak()
        found = measure()
        reached = peak_mb()
        peak = max(peak, reached)
        extra = None if before is None else max(0.0, reached - before)
        print(json.dumps(Sample(*found, peak, extra)._asdict()), file=answers, flush=True)


def peak_mb() -> float:
    """Return the peak memory of this process in MB, since its start or since `start_of_peak`."""
    found = status_mb("VmHWM")
    if found is not None:
        return found
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        2**20 if sys.platform == "darwin" else 2**10
    )


def start_of_peak() -> float | None:
    """Reset the peak and return the memory held now in MB, or None if that is not possible."""
    try:
        Path("/proc/self/clear_refs").write_text(RESET_PEAK)
    except OSError:
        return None
    return status_mb("VmRSS")


def status_mb(field: str) -> float | None:
    """Return a field of Linux's /proc/self/status, in MB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next(
        (int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{field}:")), None
    )


def main() -> None:
    """Set up the subject and serve."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    measure = SUBJECTS[sys.argv[1]].prepare(Path(sys.argv[2]))
    serve(measure, name=sys.argv[1], requests=sys.stdin, answers=sys.stdout)


if __name__ == "__main__":
    main()
