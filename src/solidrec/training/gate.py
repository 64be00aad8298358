"""Training of a mixture's weights by cross-entropy, on rows that no expert has seen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from solidrec.errors import DivergedError
from solidrec.nn.mixture import Mixture
from solidrec.training.display import Display, Row
from solidrec.training.rows import Rows
from solidrec.training.seeds import rng, seed_torch

PASSES = 10
"""Largest number of passes over the rows; the best one on validation is kept."""
_BATCH = 256
SHARED_RATE, RATE, DECAY = 0.02, 0.002, 1e-3
"""Learning rate of shared weights, trust and bias; learning rate and AdamW decay of the rest."""
_FADE = 0.5
"""Factor on the weight of a row per event between it and what the split asks for (`Rows.far`)."""
STAGE = 2
"""Stage number under which the passes are logged; the neural expert's epochs are stage 1."""


@final
class Gate:
    """Trains head and source of a mixture on `rows`, and keeps the pass that ranks `valid` best.

    Without `valid` rows the last of `passes` is kept. `codebook_weight` is the lambda of Eq. 13.
    """

    def __init__(
        self,
        mixture: Mixture,
        rows: Rows,
        valid: Rows | None,
        *,
        passes: int,
        codebook_weight: float,
        seed: int,
    ) -> None:
        self.mixture, self.rows, self.valid = mixture, rows, valid
        self.passes, self.codebook_weight, self.seed = passes, codebook_weight, seed
        base = [mixture.head.trust, mixture.head.bias, *mixture.shared.parameters()]
        known = {id(parameter) for parameter in base}
        others = [p for p in mixture.parameters() if p.requires_grad and id(p) not in known]
        groups = [{"params": base, "lr": SHARED_RATE, "weight_decay": 0.0}]
        if others:
            groups.append({"params": others, "lr": RATE, "weight_decay": DECAY})
        self.optimizer = torch.optim.AdamW(groups)
        self.steps = -(-rows.size // _BATCH)
        # The rates fall linearly to 0, also for fewer `passes` on the schedule of PASSES, so that a
        # pass chosen by validation can be repeated.
        steps = max(passes, PASSES) * self.steps
        self.fading = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: max(0.0, 1 - step / max(steps, 1))
        )

    def standardise(self) -> None:
        """Let head and reading standardise what they read by these rows; once, before training."""
        self.mixture.head.standardise(self.rows.evidence, self.rows.kept)
        if self.mixture.reading is not None:
            self.mixture.reading.standardise(self.rows.read)

    def run(self, display: Display, save: Callable[[Row], None]) -> None:
        """Train, log each pass by `save`, and put the best weights back."""
        display.stage(STAGE, self.passes, self.steps)
        best, kept, chosen = -1.0, _trained_state(self.mixture), None
        for number in range(1, self.passes + 1):
            started = time.perf_counter()
            loss, codebook_loss = self.run_pass(number, display)
            metrics = None if self.valid is None else self.metrics(self.valid)
            score = float(number) if metrics is None else metrics["NDCG@10"]
            row: Row = {"stage": STAGE, "epoch": number, "step": number * self.steps}
            row |= {"loss": loss, "codebook_loss": codebook_loss, "valid": metrics}
            row |= {"seconds": time.perf_counter() - started, "best": score > best}
            if metrics is not None:
                row["select"] = "full NDCG@10"
            if score > best:
                best, kept, chosen = score, _trained_state(self.mixture), row
            save(row)
            display.epoch(row)
        self.mixture.load_state_dict(kept, strict=False)
        assert chosen is not None
        display.done(chosen)

    def run_pass(self, number: int, display: Display) -> tuple[float, float]:
        """Run one pass over the rows and return its mean loss and mean codebook loss."""
        order = torch.from_numpy(rng(self.seed, "gate order", number).permutation(self.rows.size))
        losses, codebook_losses = [], []
        self.mixture.train()
        self.mixture.experts.eval()
        for step, index in enumerate(order.split(_BATCH)):
            seed_torch(self.seed, "gate dropout", number, step)
            rows = self.rows.take(index)
            generated = self.mixture.weigh(rows.history, rows.read)
            # Cross-entropy with the target in column 0; candidates that do not count get -inf.
            scores = self.mixture.head(rows.evidence, generated.weights).masked_fill(
                ~rows.kept, -torch.inf
            )
            first = torch.zeros(len(scores), dtype=torch.int64, device=scores.device)
            losses_of = F.cross_entropy(scores, first, reduction="none")
            # Rows far from what the split asks for weigh less.
            weight = _FADE ** rows.far.to(scores.dtype)
            loss = (weight * losses_of).sum() / weight.sum().clamp(min=1.0)
            self.optimizer.zero_grad()
            (loss + self.codebook_weight * generated.codebook_loss).backward()
            self.optimizer.step()
            self.fading.step()
            losses.append(loss.detach())
            codebook_losses.append(generated.codebook_loss.detach())
            display.step()
        mean = float(torch.stack(losses).mean())
        if not math.isfinite(mean):
            raise DivergedError(
                f"the loss became {mean} in pass {number} of the mixture; check the features"
            )
        return mean, float(torch.stack(codebook_losses).mean())

    @torch.no_grad()
    def metrics(self, rows: Rows) -> dict[str, float]:
        """Return NDCG@10 and Recall@10 of the targets; one that no expert brings is a miss."""
        self.mixture.eval()
        places = torch.cat(
            [self.places(rows.take(slice(i, i + 4096))) for i in range(0, rows.size, 4096)]
        )
        hit = rows.found & (places < 10)
        gain = torch.where(hit, 1 / torch.log2(places + 2), 0.0)
        return {"NDCG@10": float(gain.mean()), "Recall@10": float(hit.float().mean())}

    def places(self, rows: Rows) -> Float[Tensor, " R"]:
        """Return how many candidates stand before each target."""
        scores = self.mixture.head(
            rows.evidence, self.mixture.weigh(rows.history, rows.read).weights
        )
        before: Tensor = ((scores > scores[:, :1]) & rows.kept).sum(1)
        return before.float()


def _trained_state(mixture: Mixture) -> dict[str, Tensor]:
    """Return a copy of the state of a mixture without its experts."""
    return {
        name: tensor.detach().clone()
        for name, tensor in mixture.state_dict().items()
        if not name.startswith("experts.")
    }
