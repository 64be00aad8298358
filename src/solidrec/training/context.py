"""What every step of one training is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, final

from solidrec.data.prepared import PreparedData
from solidrec.spec import RunSpec
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.loop import Display, Silent, Stage


@final
@dataclass(frozen=True)
class RunContext:
    """What is trained on which data, where it runs and writes, and who hears of it.

    ``out`` is the run folder, None where nothing is written, and ``checkpoints`` is None where nothing
    can be gone on from. ``display`` sees steps and epochs, ``say`` gets lines for people, and ``note``
    the stage after each epoch.
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
        """Return the context with some of its parts changed."""
        return replace(self, **changes)
