"""The trainings of an experiment with measurements of its own: each has a folder, finished ones are kept, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from solidrec.api import train
from solidrec.artifacts import write_file, write_json
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.evaluate.intervals import Difference, holm
from solidrec.evaluate.result import Evaluation
from solidrec.experiments.workers import as_they_end, workers
from solidrec.spec import value_at


@final
@dataclass(frozen=True)
class Training:
    """One training: the ``row`` of the table that it belongs to, its ``seed`` and its ``settings`` (as in a `RunSpec`)."""

    row: str
    seed: int
    settings: Mapping[str, Any] = field(default_factory=dict)

    def folder(self, out: Path) -> Path:
        """Return the run folder."""
        return out / "runs" / f"{self.row.replace(' ', '')}-seed{self.seed}"


def check_settings(data: PreparedData, settings: Mapping[str, Any], varied: Sequence[str]) -> None:
    """Raise `UsageError` for settings that an experiment varies itself, and for data that has no test split."""
    data.rows("test")
    for key in varied:
        if value_at(settings, key) is not None:
            raise UsageError(f"--set {key}: is what this experiment varies; leave it out")


def train_all(
    data: Path,
    trainings: Sequence[Training],
    out: Path,
    *,
    jobs: int = 1,
    done: Callable[[Training], None] = lambda one: None,
) -> None:
    """Train every one that is not finished, `jobs` processes of one thread at a time; an error of one is raised at once."""
    with workers(jobs) as pool:
        running = {pool.submit(train_one, data, training, out): training for training in trainings}
        for future in as_they_end(running):
            future.result()
            done(running[future])


def train_one(data: Path, training: Training, out: Path) -> None:
    """Train on one thread, or leave it if it is finished."""
    train(data, seed=training.seed, settings=training.settings, out=training.folder(out), threads=1, progress=False)


@final
@dataclass(frozen=True)
class Row:
    """One row of a table: its evaluations, one a seed, over the same users."""

    name: str
    evaluations: tuple[Evaluation, ...]

    def mean(self, metric: str) -> float:
        """Return a metric's mean over seeds."""
        return float(np.mean(self.of_seeds(metric)))

    def spread(self, metric: str) -> float | None:
        """Return the standard deviation over seeds, None for one seed."""
        return float(np.std(self.of_seeds(metric), ddof=1)) if len(self.evaluations) > 1 else None

    def of_seeds(self, metric: str) -> list[float]:
        """Return a metric seed by seed."""
        return [float(found.metrics[metric] or 0) for found in self.evaluations]

    def per_user(self, metric: str) -> np.ndarray:
        """Return a metric of each user, averaged over seeds, (U,)."""
        return np.asarray(np.mean([found.per_user[metric] for found in self.evaluations], axis=0))


def corrected(tests: Sequence[Difference]) -> list[dict[str, float]]:
    """Return paired differences as plain values, each with its p corrected for there being several (``holm``)."""
    return [asdict(test) | {"holm": p} for test, p in zip(tests, holm([test.p for test in tests]), strict=True)]


def gap_text(gap: Mapping[str, float]) -> str:
    """Write a difference with its interval.

    >>> gap_text({"mean": 0.02, "low": 0.01, "high": 0.031})
    '+0.0200 [+0.0100, +0.0310]'
    """
    return f"{gap['mean']:+.4f} [{gap['low']:+.4f}, {gap['high']:+.4f}]"


def write_results(out: Path, name: str, found: Mapping[str, Any], text: str) -> None:
    """Write what an experiment found as JSON, and as Markdown for people."""
    write_json(out / f"{name}.json", found)
    write_file(out / f"{name}.md", lambda temporary: temporary.write_text(text, encoding="utf-8"))
