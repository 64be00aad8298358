"""What the processes of all peers share: settings, clock, memory, and a quiet standard output."""

from __future__ import annotations

import logging
import os
import resource
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:  # bench.py reads the names of the peers without pandas
    import pandas as pd

LENGTH, DIM, BLOCKS, HEADS, DROPOUT, NEGATIVES = 10, 32, 2, 2, 0.2, 4
EPOCHS = 10
TOP = 10
TRAINER = {
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
    "devices": 1,
    "accelerator": "cpu",
}
"""Settings of every trainer of Lightning."""
Sample = tuple[float, float, float]
"""Work, CPU seconds and wall seconds."""


def positions(log: pd.DataFrame) -> int:
    """Return how many positions of an epoch enter the loss: the last 11 items but the first."""
    return int((log.groupby("user").size().clip(upper=LENGTH + 1) - 1).sum())


class Clock:
    """Records the time at the end of each epoch; `sample` covers the first to the last of them."""

    def __init__(self) -> None:
        self.ends: list[tuple[float, float]] = []

    def callback(self, base: type) -> object:
        """Return a callback that records, of the Lightning whose base class is given."""
        clock = self

        class Note(base):
            def on_train_epoch_end(self, trainer: object, module: object) -> None:
                clock.ends.append((time.process_time(), time.perf_counter()))

        return Note()

    def sample(self, work_of_epoch: int) -> Sample:
        (cpu, wall), (last_cpu, last_wall) = self.ends[0], self.ends[-1]
        return work_of_epoch * (len(self.ends) - 1), last_cpu - cpu, last_wall - wall


def clocked(work: int, run: Callable[[], object]) -> Sample:
    """Time one call."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return work, time.process_time() - cpu, time.perf_counter() - wall


def speech() -> TextIO:
    """Send what the peer prints to standard error, and return standard output.

    Also hides warnings, and limits torch to the threads of the environment.
    """
    import torch

    warnings.simplefilter("ignore")
    for name in ("lightning", "pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return output


def peak_mb() -> float:
    """Return the peak memory of this process in MB; Linux's ru_maxrss starts from the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return next(
            int(line.split()[1]) / 1024
            for line in status.read_text().splitlines()
            if line.startswith("VmHWM:")
        )
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
