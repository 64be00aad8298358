"""One stage of training: epochs, validation, patience, the best weights."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, final

import numpy as np
import torch
from torch import Tensor

from solidrec.errors import DivergedError
from solidrec.nn.codebook import Codebook
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender
from solidrec.registry import LOSSES
from solidrec.spec import TrainSpec
from solidrec.training.batches import TrainingBatches
from solidrec.training.display import Display, Row
from solidrec.training.losses import Loss
from solidrec.training.optimizer import Optimizer
from solidrec.training.seeds import rng, seed_torch
from solidrec.training.usage import CodebookStats

_State = dict[str, Tensor]
_LOOK_EVERY = 20
"""Steps between two checks of the loss."""


@dataclass
class Progress:
    """The progress of training: all of a checkpoint that is not a tensor."""

    stage: int = 1
    epoch: int = 0
    step: int = 0
    best: float = -1.0
    best_epoch: int = 0
    best_step: int = 0
    history: list[Row] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)

    def next_stage(self) -> Progress:
        """Return the start of the next stage, with the log so far."""
        return Progress(stage=self.stage + 1, history=self.history)


@final
class Stage:
    """Trains one model on one stage's loss, from `progress` on.

    ``validate`` returns validation metrics, or None when the data has no validation rows. Without
    metrics, or when no row can be ranked, every epoch is run and the last weights are kept.
    ``save`` is called after each epoch.
    """

    def __init__(
        self,
        model: Recommender,
        batches: TrainingBatches,
        spec: TrainSpec,
        *,
        seed: int,
        progress: Progress,
        validate: Callable[[], dict[str, float | None] | None],
        save: Callable[[Stage], None],
        display: Display,
        revive: bool = True,
    ) -> None:
        self.model, self.batches, self.spec = model, batches, spec
        self.seed, self.revives = seed, revive
        self.progress, self.validate, self.save, self.display = progress, validate, save, display
        self.optimizer = Optimizer(model, spec)
        self.forward: Any = torch.compile(model, dynamic=True) if spec.compile else model
        self.best: _State = copy_state(model)
        self.codebook = codebook_of(model)
        self.loss = loss_of(model, spec)

    def run(self) -> None:
        """Train until the epochs or the patience run out, then put the best weights back."""
        self.display.stage(self.progress.stage, self.spec.epochs, self.batches.steps)
        # A later stage logs the weights that it starts from, unless a resumed run has done so.
        logged = any(row["stage"] == self.progress.stage for row in self.progress.history)
        if self.progress.stage > 1 and not logged:
            self.finish_epoch({"loss": None, "codebook_loss": None}, time.perf_counter())
        while not self.finished():
            self.run_epoch()
        self.model.load_state_dict(self.best)
        best = next(
            (row for row in reversed(self.progress.history) if row["best"]), {"valid": None}
        )
        self.display.done(best | {"stage": self.progress.stage, "epoch": self.progress.best_epoch})

    def finished(self) -> bool:
        """Return whether the epochs or the patience (see `TrainSpec`) have run out."""
        at, spec = self.progress, self.spec
        if at.epoch >= spec.epochs:
            return True
        waited = (
            at.epoch - at.best_epoch >= spec.patience
            and at.step - at.best_step >= spec.patience_steps
        )
        return waited and at.step >= spec.min_steps and at.best >= 0

    def run_epoch(self) -> None:
        """Train one epoch, revive dead codes, validate, save."""
        started, at = time.perf_counter(), self.progress
        codes = len(self.codebook.code_vectors) if self.codebook else 0
        tally = CodebookStats(codes, self.batches.device)
        losses: list[float] = []
        # Losses still on the device: reading each one would stall it.
        pending: list[Tensor] = []
        codebook_losses = []
        self.model.train()
        for step, batch in enumerate(self.batches.epoch(at.stage, at.epoch)):
            seed_torch(self.seed, "dropout", at.stage, at.epoch, step)
            with self.precision():
                lost = self.loss(self.forward, batch)
            self.optimizer.step(lost.value)
            pending.append(lost.value.detach())
            codebook_losses.append(lost.codebook_loss.detach())
            tally.add(lost.stats)
            if len(pending) == _LOOK_EVERY:
                losses += self.looked_at(pending, before=len(losses))
                pending = []
            self.display.step()
        losses += self.looked_at(pending, before=len(losses))
        at.epoch += 1
        at.step += len(losses)
        codebook_loss = float(torch.stack(codebook_losses).mean())
        row = {"loss": float(np.mean(losses)), "codebook_loss": codebook_loss} | tally.row()
        if self.codebook is not None:
            row["codes_revived"] = self.revive(tally.dead())
        row["positives_per_second"] = self.batches.positives / (time.perf_counter() - started)
        self.finish_epoch(row, started)

    def precision(self) -> torch.autocast:
        """Return the context in which a forward pass runs."""
        kind = self.model.items.weight.device.type
        return torch.autocast(kind, dtype=torch.bfloat16, enabled=self.spec.precision == "bfloat16")

    def finish_epoch(self, row: Row, started: float) -> None:
        """Validate, remember the best weights, log and save."""
        at = self.progress
        self.check_weights()
        metrics = self.validate()
        found = None if metrics is None else metrics[self.spec.selection.metric]
        score = at.epoch if found is None else found
        # The weights that a later stage starts from are logged, but are no result of that stage.
        trained = at.epoch > 0
        if trained and score > at.best:
            at.best, at.best_epoch, at.best_step = float(score), at.epoch, at.step
            self.best = copy_state(self.model)
        row = {"stage": at.stage, "epoch": at.epoch, "step": at.step, **row}
        row |= {"valid": metrics, "seconds": time.perf_counter() - started}
        if metrics is not None:
            row["select"] = self.spec.select
        at.history.append(row | {"best": trained and at.best_epoch == at.epoch})
        self.display.epoch(at.history[-1])
        self.save(self)

    def looked_at(self, pending: list[Tensor], *, before: int) -> list[float]:
        """Return some losses as numbers; raises `DivergedError` if one is not finite."""
        losses: list[float] = torch.stack(pending).tolist() if pending else []
        for nth, loss in enumerate(losses, start=before + 1):
            if not math.isfinite(loss):
                where = f"stage {self.progress.stage}, epoch {self.progress.epoch + 1}, step {nth}"
                raise DivergedError(
                    f"the loss became {loss} at {where}; lower train.learning_rate "
                    "or check the features"
                )
        return losses

    def check_weights(self) -> None:
        """Raise `DivergedError` for weights that are not finite, which a finite loss may cause."""
        for name, tensor in self.model.state_dict().items():
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                where = f"stage {self.progress.stage}, epoch {self.progress.epoch}"
                raise DivergedError(
                    f"{name} is no longer finite after {where}; lower train.learning_rate "
                    "or check the features"
                )

    def revive(self, dead: Tensor) -> int:
        """Move codes that no item chose onto embeddings of random targets; return how many."""
        if not len(dead) or self.codebook is None or not self.codebook.movable or not self.revives:
            return 0
        random = rng(self.seed, "revive", self.progress.stage, self.progress.epoch)
        items = self.batches.tensor(self.batches.targets(len(dead), random))
        self.codebook.place(dead, self.model.items.weight.detach()[items])
        # Adam's moments of a moved code belong to its old place.
        for moment in self.optimizer.moments(self.codebook.code_vectors).values():
            if moment.shape == self.codebook.code_vectors.shape:
                moment[dead] = 0
        return len(dead)


def codebook_of(model: Recommender | Mixture) -> Codebook | None:
    """Return the codebook of a model, if it has one."""
    codebook = dict(model.parts()).get("codebook")
    assert codebook is None or isinstance(codebook, Codebook)
    return codebook


def loss_of(model: Recommender, spec: TrainSpec) -> Loss:
    """Return the loss that a specification names, with the model's lambda."""
    loss: Loss = LOSSES[spec.loss](
        spec, items=len(model.items.weight) - 1, codebook_weight=codebook_weight(model, spec)
    )
    return loss


def codebook_weight(model: Recommender | Mixture, spec: TrainSpec) -> float:
    """Return the lambda of Eq. 13: as given, or the codebook's default; 0 without a codebook."""
    codebook = codebook_of(model)
    if codebook is None:
        return 0.0
    return codebook.suited_weight if spec.codebook_weight is None else spec.codebook_weight


def copy_state(model: Recommender) -> _State:
    """Return a copy of the model's state."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
