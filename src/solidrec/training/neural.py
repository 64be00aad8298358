"""The neural expert of a mixture, trained once per specification and cached beside the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from solidrec.artifacts import MANIFEST, read_manifest, write_manifest, write_tensors
from solidrec.data.prepared import PreparedData
from solidrec.disk import new_folder
from solidrec.epochs import HISTORY, read_history, write_history
from solidrec.nn.build import build, plain
from solidrec.nn.recommender import Recommender
from solidrec.runs import WEIGHTS
from solidrec.spec import RunSpec
from solidrec.training.checkpoint import Checkpoints
from solidrec.training.context import RunContext
from solidrec.training.display import Display
from solidrec.training.loop import Stage
from solidrec.training.semantics import keep
from solidrec.training.stages import fit
from solidrec.weight_files import load_weights

_KIND = "neural-expert"
WHOLE = "whole"
"""Name of the part that holds all training events; the final neural expert is trained on it."""


class Neural(NamedTuple):
    """A trained ``model`` and its ``history``, with one row per epoch."""

    model: Recommender
    history: list[dict[str, Any]]

    @property
    def epochs(self) -> int:
        """The epoch whose weights were kept."""
        best = [row["epoch"] for row in self.history if row["best"]]
        return int(best[-1])


def neural_expert(run: RunContext, *, part: str) -> Neural:
    """Train the neural expert of a mixture on a part of the training events, or load a cached one.

    The specification of `run` is that of the mixture; its data holds only the training events of
    the `part`.
    """
    data, spec = run.data, run.spec
    train = spec.train.of_one_model()
    own = RunSpec(
        data=spec.data,
        model=plain(spec.model),
        train=train,
        semantics=spec.semantics,
        seed=spec.seed,
    )
    folder = data.path / "experts" / f"{own.digest()}-{part}"
    if (folder / MANIFEST).is_file():
        read_manifest(folder, kind=_KIND, files=[WEIGHTS, HISTORY])
        model = build(own.model, items=len(data.items))
        load_weights(model, folder / WEIGHTS)
        run.say(f"neural expert ({part}): read from {folder}")
        found = Neural(model.to(run.device).eval(), read_history(folder))
        _replay(found.history, run.display)
        return found
    run.say(f"neural expert ({part}): training")
    log: list[dict[str, Any]] = []
    checkpoints = None if run.out is None else Checkpoints(run.out / "checkpoints" / part)

    def note(stage: Stage) -> None:
        log[:] = stage.progress.history

    out = run.out if part == WHOLE else None
    model = fit(run.but(spec=own, out=out, checkpoints=checkpoints, note=note), None)
    found = Neural(model.eval(), log)
    keep(folder, lambda path: _save(path, found), run.say, what="neural expert")
    # Checkpoints are kept until the expert is saved, so that a killed run can resume.
    if checkpoints is not None and (folder / MANIFEST).is_file():
        checkpoints.clear()
    return found


def _replay(history: list[dict[str, Any]], display: Display) -> None:
    """Show the epochs of a cached expert as if it were trained now, so that every log has them."""
    display.stage(1, len(history), 0)
    for row in history:
        display.epoch(row)
    display.done(next(row for row in reversed(history) if row["best"]))


def _save(folder: Path, neural: Neural) -> None:
    """Write a neural expert as an artifact folder."""
    with new_folder(folder) as temporary:
        write_tensors(temporary / WEIGHTS, neural.model.state_dict())
        write_history(temporary, neural.history)
        write_manifest(temporary, kind=_KIND, files=[WEIGHTS, HISTORY], facts={})


def of_users(data: PreparedData, chosen: np.ndarray) -> PreparedData:
    """Return data with only the training events of `chosen` users (U + 1,), without validation."""
    counts = data.manifest["negatives"]
    negatives = {name: counts[name] for name in counts if name not in ("valid", "test")}
    ends = np.where(chosen, data.train_end, data.offsets[:-1])
    return replace(data, train_end=ends, manifest={**data.manifest, "negatives": negatives})
