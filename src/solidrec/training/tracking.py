"""Trackers, which write every epoch of a run to TensorBoard or MLflow as well.

``history.jsonl`` is the log. A tracker first writes those of its rows that its store lacks, then
each new one, so each point is written once, however often the run is stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, final

from solidrec.epochs import HISTORY, read_history
from solidrec.errors import StorageError, UsageError, nearest
from solidrec.semantics.modalities.needs import need
from solidrec.spec import RunSpec
from solidrec.training.display import Display, Row
from solidrec.training.to_mlflow import MlflowStore
from solidrec.training.to_tensorboard import TensorBoardStore

_Say = Callable[[str], None]
_WHERE = ("stage", "epoch", "step", "valid")
"""Keys of a row that are not values, but say where the row belongs."""


class _Store(Protocol):
    """Storage of points (a named value at an epoch); its library's errors become `StorageError`."""

    def written(self) -> set[tuple[str, int]]:
        """Return the (name, epoch) of every stored point."""

    def write(self, values: Mapping[str, float], epoch: int) -> None:
        """Add the values of an epoch."""

    def close(self, *, complete: bool) -> None:
        """Close the store; `complete` says whether the run has ended or only stopped."""


_STORES: dict[str, tuple[str, Callable[[Path, RunSpec], _Store]]] = {
    "tensorboard": ("tensorboard", TensorBoardStore),
    "mlflow": ("mlflow", MlflowStore),
}
"""The package that each store needs, and the function that opens it for a run folder."""


def check_trackers(names: Sequence[str]) -> None:
    """Raise `UsageError` for a tracker that is unknown, or whose package is not installed."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise UsageError(f"track={names!r}: give a list of names, for example ['mlflow']")
    for name in names:
        if name not in _STORES:
            raise UsageError(f"--track {name}: unknown name{nearest(name, _STORES)}")
        need("track", _STORES[name][0])


@final
class Tracker:
    """Writes rows to a store; if that fails, it says so once and stops, and training goes on."""

    def __init__(self, name: str, store: _Store, say: _Say) -> None:
        self.name, self.store, self.say = name, store, say
        self.there = store.written()
        self.works = True

    def epoch(self, row: Row) -> None:
        """Write the values of an epoch."""
        self.write(_points(row), row["epoch"])

    def final(self, metrics: Mapping[str, Any]) -> None:
        """Write the final metrics, as ``final/<split>/<metric>`` at epoch 0."""
        found = {
            f"final/{split}/{name}": value
            for split, entry in metrics.items()
            for name, value in entry["metrics"].items()
        }
        self.write(_numbers(found), 0)

    def write(self, values: Mapping[str, float], epoch: int) -> None:
        """Write those values that the store does not have."""
        new = {name: value for name, value in values.items() if (name, epoch) not in self.there}
        if new and self.works:
            try:
                self.store.write(new, epoch)
            except StorageError as error:
                self.give_up(error)
            self.there |= {(name, epoch) for name in new}

    def close(self, *, complete: bool) -> None:
        """Close the store, once."""
        if self.works:
            try:
                self.store.close(complete=complete)
            except StorageError as error:
                self.give_up(error)
        self.works = False

    def give_up(self, error: StorageError) -> None:
        """Stop tracking, and say why."""
        self.works = False
        self.say(
            f"{self.name}: {error}; training goes on without it, history.jsonl has every epoch"
        )


@final
class _Several:
    """A display that passes everything on to another one, and each epoch to trackers."""

    def __init__(self, display: Display, trackers: Sequence[Tracker]) -> None:
        self.display, self.trackers = display, trackers

    def stage(self, stage: int, epochs: int, steps: int) -> None:
        """Show that a stage begins."""
        self.display.stage(stage, epochs, steps)

    def step(self) -> None:
        """Show that a step is done."""
        self.display.step()

    def epoch(self, row: Row) -> None:
        """Show the epoch, and track it."""
        self.display.epoch(row)
        for tracker in self.trackers:
            tracker.epoch(row)

    def done(self, row: Row) -> None:
        """Show that a stage has ended."""
        self.display.done(row)

    def final(self, metrics: Mapping[str, Any]) -> None:
        """Track the final metrics; from here on the run counts as complete."""
        for tracker in self.trackers:
            tracker.final(metrics)
            tracker.close(complete=True)


@contextmanager
def tracked(
    display: Display, names: Sequence[str], out: Path, spec: RunSpec, say: _Say
) -> Iterator[_Several]:
    """Yield `display` with the trackers of a run folder, caught up with ``history.jsonl``.

    Raises `UsageError` as `check_trackers` does, and `StorageError` for a store that cannot be
    opened.
    """
    check_trackers(names)
    earlier = read_history(out) if (out / HISTORY).is_file() else []
    with ExitStack() as stack:
        trackers = []
        for name in dict.fromkeys(names):
            tracker = Tracker(name, _STORES[name][1](out, spec), say)
            stack.callback(tracker.close, complete=False)
            trackers.append(tracker)
        for row in earlier:
            for tracker in trackers:
                tracker.epoch(row)
        yield _Several(display, trackers)


def _points(row: Row) -> dict[str, float]:
    """Return the values of a row by name.

    >>> row = {"stage": 1, "epoch": 2, "step": 9, "loss": 0.5, "codebook_loss": None, "best": True}
    >>> _points(row | {"valid": {"UAUC": 0.7}})
    {'stage1/loss': 0.5, 'stage1/valid/UAUC': 0.7}
    """
    own = {key: value for key, value in row.items() if key not in _WHERE}
    valid = {f"valid/{name}": value for name, value in (row["valid"] or {}).items()}
    return {f"stage{row['stage']}/{name}": value for name, value in _numbers(own | valid).items()}


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the values that are numbers."""
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
