"""Displays, which show the progress of training."""

from __future__ import annotations

from typing import Any, Protocol, final, runtime_checkable

Row = dict[str, Any]
"""An epoch in the log."""


@runtime_checkable
class Display(Protocol):
    """Interface of displays that show the progress of training."""

    def stage(self, stage: int, epochs: int, steps: int) -> None:
        """Show that a stage begins."""

    def step(self) -> None:
        """Show that a step is done."""

    def epoch(self, row: Row) -> None:
        """Show an epoch that is done and validated."""

    def done(self, row: Row) -> None:
        """Show that a stage has ended; `row` is its best epoch."""


@final
class Silent:
    """A display that shows nothing."""

    def stage(self, stage: int, epochs: int, steps: int) -> None:
        """Ignore the start of a stage."""

    def step(self) -> None:
        """Ignore a step."""

    def epoch(self, row: Row) -> None:
        """Ignore an epoch."""

    def done(self, row: Row) -> None:
        """Ignore the end of a stage."""


@final
class StageDisplay:
    """Shows stages and steps on another display, but no epochs, which are not in the run's log."""

    def __init__(self, display: Display) -> None:
        self.display = display

    def stage(self, stage: int, epochs: int, steps: int) -> None:
        """Show that a stage begins."""
        self.display.stage(stage, epochs, steps)

    def step(self) -> None:
        """Show that a step is done."""
        self.display.step()

    def epoch(self, row: Row) -> None:
        """Ignore an epoch."""

    def done(self, row: Row) -> None:
        """Show that a stage has ended."""
        self.display.done(row)
