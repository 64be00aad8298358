"""The context that all steps of one training share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, final

from solidrec.data.prepared import PreparedData
from solidrec.spec import RunSpec
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.display import Display, Silent
from solidrec.training.loop import Stage


@final
@dataclass(frozen=True)
class RunContext:
    """The data and specification of a training, and where it runs, writes and reports.

    ``out`` is the run folder, None where nothing is written, and ``checkpoints`` is None where
    training cannot be resumed. ``display`` sees steps and epochs, ``say`` gets lines for people,
    and ``note`` gets the stage after each epoch.
    """

    data: PreparedData
    spec: RunSpec
    out: Path | None = None
    device: str = "cpu"
    display: Display = field(default_factory=Silent)
    checkpoints: Checkpoints | None = None
    say: Callable[[str], None] = lambda line: None
    note: Callable[[Stage], None] = lambda stage: None

    def but(self, **changes: Any) -> Self:
        """Return the context with some of its fields changed."""
        return replace(self, **changes)
