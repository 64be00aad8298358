"""Checkpoints: folders under ``RUN/checkpoints`` from which the same command resumes exactly.

Order, negatives and dropout are functions of (seed, stage, epoch, step), so a checkpoint at the end
of an epoch needs the weights, the best weights, Adam's moments and a few counters, and no random
state.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, final

import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from solidrec import migrations
from solidrec.artifacts import Facts, read_manifest, write_manifest, write_tensors
from solidrec.disk import need_space, new_folder
from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.json_files import read_json, write_json
from solidrec.training.loop import Progress, Stage

_KEEP = 2
_SPARE = 1.2
"""How much of the size of a checkpoint must be free before it is written."""
FILES = ("model.safetensors", "best.safetensors", "optimizer.safetensors", "state.json")


@final
class Checkpoints:
    """Writes checkpoints, keeps the last two, and finds the newest undamaged one.

    The time between two checkpoints is at least `spacing` times what the last one took to write:
    with 20, saving takes at most a twentieth of the time, and a killed process loses no more than
    that. The first epoch is saved at once.
    """

    def __init__(self, folder: Path, spacing: float = 20.0) -> None:
        self.folder, self.spacing = folder, spacing
        self.saved, self.cost = time.monotonic(), 0.0

    def names(self) -> list[Path]:
        """Return the checkpoint folders, oldest first (their names sort by stage and epoch)."""
        return sorted(path for path in self.folder.glob("stage*-epoch*") if path.is_dir())

    def maybe_save(self, stage: Stage, digest: str = "") -> None:
        """Save if the last checkpoint is old enough."""
        if time.monotonic() - self.saved >= self.spacing * self.cost:
            self.save(stage, digest)

    def save(self, stage: Stage, digest: str = "") -> None:
        """Write a checkpoint folder, put it in place by one rename, and remove older ones.

        `digest` is that of the specification that is trained.
        """
        at, started = stage.progress, time.monotonic()
        folder = self.folder / f"stage{at.stage}-epoch{at.epoch:05d}"
        parts = zip(FILES, (stage.model.state_dict(), stage.best, _moments(stage)), strict=False)
        tensors = dict(parts)
        size = sum(tensor.nbytes for part in tensors.values() for tensor in part.values())
        need_space(folder, int(_SPARE * size))
        with new_folder(folder, replace=True) as temporary:
            for name, part in tensors.items():
                write_tensors(temporary / name, part)
            write_json(temporary / "state.json", at.to_json())
            write_manifest(temporary, kind="checkpoint", files=FILES, facts={"digest": digest})
        for old in self.names()[:-_KEEP]:
            shutil.rmtree(old, ignore_errors=True)
        self.saved = time.monotonic()
        self.cost = self.saved - started

    def newest(
        self, say: Callable[[str], None] = lambda line: None, *, digest: str = ""
    ) -> Path | None:
        """Return the newest good checkpoint; rename bad ones to ``.corrupt-NAME`` and say so.

        Raises `IncompatibleError` for one of a specification with another `digest`; one of an
        earlier version, which has none, is taken.
        """
        for path in reversed(self.names()):
            try:
                manifest = read_manifest(path, kind="checkpoint", files=FILES)
            except (DamagedError, StorageError) as error:
                aside = path.with_name(f".corrupt-{path.name}")
                shutil.rmtree(aside, ignore_errors=True)
                path.rename(aside)
                say(f"set aside as {aside.name}, going on from the one before: {error}")
                continue
            there = manifest.get("digest")
            if there and digest and there != digest:
                raise IncompatibleError(
                    f"{path}: is a checkpoint of run {there}, not of {digest}; remove "
                    f"{self.folder} to train from the start, or put this run's own there"
                )
            return path
        return None

    def clear(self) -> None:
        """Remove all checkpoints of a completed run."""
        shutil.rmtree(self.folder, ignore_errors=True)


@final
class _State(Facts):
    """The types of a `Progress`."""

    stage: int
    epoch: int
    step: int
    best: float
    best_epoch: int
    best_step: int
    history: list[dict[str, Any]]


def read_progress(path: Path) -> Progress:
    """Return the progress that a checkpoint has saved; raises `DamagedError` if it is none."""
    found = read_json(path / "state.json")
    try:
        _State.model_validate(found)
        return Progress(**found)
    except (ValidationError, TypeError) as error:
        raise DamagedError(
            f"{path / 'state.json'}: is not as it was written ({str(error).splitlines()[0]}); "
            f"remove {path} to go on from the checkpoint before"
        ) from None


def restore(stage: Stage, path: Path) -> None:
    """Put weights, best weights and Adam's moments of a checkpoint into a stage built for it."""
    device = stage.batches.device
    stage.model.load_state_dict(
        migrations.tensors(load_file(path / "model.safetensors", device=device))
    )
    stage.best = migrations.tensors(load_file(path / "best.safetensors", device=device))
    state = migrations.tensors(load_file(path / "optimizer.safetensors", device=device))
    parameters = {key: one for key, one in stage.model.named_parameters() if one.requires_grad}
    found: dict[str, dict[str, Any]] = {}
    for key, tensor in state.items():
        name, moment = key.rsplit("/", 1)
        found.setdefault(name, {})[moment] = tensor
    for name, of_one in found.items():
        stage.optimizer.restore(parameters[name], of_one)


def _moments(stage: Stage) -> dict[str, torch.Tensor]:
    """Return Adam's state as flat named tensors."""
    return {
        f"{name}/{moment}": torch.as_tensor(value)
        for name, parameter in stage.model.named_parameters()
        for moment, value in stage.optimizer.moments(parameter).items()
    }
