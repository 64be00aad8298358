"""One trial of a search: a training that is judged on validation users alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import torch

from solidrec.data.prepared import PreparedData
from solidrec.devices import use_threads
from solidrec.epochs import read_history, score_of, select_of
from solidrec.errors import DivergedError, UsageError
from solidrec.locks import locked
from solidrec.spec import RunSpec
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.context import RunContext
from solidrec.training.mixture import fit_named, last_stage
from solidrec.training.run import semantics_for


@final
@dataclass(frozen=True)
class Outcome:
    """Validation metrics of a training's best epoch, or its error; ``unfit`` if it cannot start."""

    valid: Mapping[str, float | None] | None = None
    epochs: int = 0
    seconds: float = 0.0
    error: str | None = None
    unfit: bool = False
    select: str = "UAUC"

    def plain(self) -> dict[str, Any]:
        """Return the fields that a `Trial` keeps."""
        return {key: value for key, value in asdict(self).items() if key != "unfit"}


def train_trial(data: PreparedData | Path, spec: RunSpec, folder: Path) -> Outcome:
    """Train on one thread, or resume from the last checkpoint in `folder`.

    Returns the validation metrics of the last stage; the training has no access to the test split.
    A training that diverges, or whose settings do not go together, is an outcome with an error.
    """
    opened = data if isinstance(data, PreparedData) else PreparedData.open(data)
    before = torch.get_num_threads()
    use_threads(1)
    try:
        with locked(folder):
            checkpoints = Checkpoints(folder / "checkpoints")
            try:
                run = RunContext(opened, spec, folder, checkpoints=checkpoints)
                fit_named(run, semantics_for(run))
                found = _outcome(read_history(folder), last_stage(spec.model))
            except (DivergedError, UsageError) as error:
                found = Outcome(error=str(error), unfit=isinstance(error, UsageError))
            checkpoints.clear()
            return found
    finally:
        torch.set_num_threads(before)


def _outcome(rows: Sequence[Mapping[str, Any]], stage: int) -> Outcome:
    """Return the outcome of the last stage's best epoch in a log.

    Raises `UsageError` if no validation user could be ranked.
    """
    best = next((row for row in reversed(rows) if row["stage"] == stage and row["best"]), None)
    if best is None or score_of(best) is None:
        raise UsageError("no validation user could be ranked; prepare the data with negatives")
    return Outcome(
        best["valid"],
        sum(row["epoch"] > 0 for row in rows),
        sum(row["seconds"] for row in rows),
        select=select_of(best),
    )
