"""Training batches, gathered straight from arrays.

Order and negatives are functions of (seed, stage, epoch, step).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import final

import numpy as np
import torch

from solidrec.arrays import Ints
from solidrec.batch import Batch
from solidrec.data.negatives import TrainingNegatives
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError
from solidrec.training.passes import Passes, passes, single_passes, target_counts
from solidrec.training.seeds import rng

TOGETHER = 8
"""Batches made at once: singly they take twice as long, as training steps empty the CPU caches."""


@final
class TrainingBatches:
    """Every training target once per epoch, in a new order and with new negatives.

    With a `stride` one pass over a history serves many targets (see `passes`): for models that read
    prefixes. Without one each target has a pass of its own. A step holds about `batch` targets,
    their items in column 0 of the candidates. The passes of a step are about equally long, so that
    little is padding; the steps come in random order, some made together. Each target has
    `negatives` of its own; `shared` more, uniform over the catalogue, are for all targets of a
    step. Only the events of a user from `begin` (U + 1,) on are read, by default all. Raises
    `DataError` when no user has two training events.
    """

    def __init__(
        self,
        data: PreparedData,
        *,
        length: int,
        batch: int,
        negatives: int,
        seed: int,
        device: str,
        stride: int | None = None,
        shared: int | None = None,
        begin: Ints | None = None,
    ) -> None:
        self.data, self.length, self.batch = data, length, batch
        self.count, self.shared, self.seed, self.device = negatives, shared, seed, device
        # A pass serves up to `length` targets, so a smaller batch gets one pass per target.
        self.stride = None if stride is None or batch < length else min(stride, length)
        starts = data.offsets[:-1] if begin is None else begin
        self.begin, self.end = starts.astype(np.int64), data.train_end.astype(np.int64)
        self.positives = int(target_counts(self.begin, self.end).sum())
        """Number of training targets, each served once per epoch."""
        if not self.positives:
            raise DataError(
                "no user has two training events, so there is nothing to learn from; "
                "bring longer histories"
            )

    @cached_property
    def sampler(self) -> TrainingNegatives:
        """The source of negatives."""
        return self.data.training_negatives()

    @property
    def steps(self) -> int:
        """Steps per epoch."""
        return -(-self.positives // self.batch)

    def plan(self, stage: int, epoch: int) -> Passes:
        """Return the passes of an epoch."""
        if self.stride is None:
            return single_passes(self.begin, self.end, length=self.length)
        # A new phase for each user and epoch changes how many items a target has before it.
        phase = rng(self.seed, "phase", stage, epoch).integers(0, self.stride, size=len(self.begin))
        return passes(self.begin, self.end, length=self.length, stride=self.stride, phase=phase)

    def epoch(self, stage: int, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        plan = self.plan(stage, epoch)
        random = rng(self.seed, "order", stage, epoch)
        # Shuffle the passes and sort them stably by length, so that a step needs little padding.
        # Among equals, passes with one target come first: a step of these needs no prefix ends.
        order = random.permutation(len(plan.users))
        order = order[np.lexsort((plan.targets[order] > 1, (plan.end - plan.start)[order]))]
        # Cut the order into steps. `served` counts the targets up to and with each pass; step k
        # (from 0) ends before the first pass with which the count exceeds (k + 1) * batch. No step
        # is empty, because no pass serves more than `batch` targets.
        served = np.cumsum(plan.targets[order])
        cuts = np.searchsorted(served, np.arange(self.steps + 1) * self.batch, side="right")
        # Visit the steps in random order.
        steps = random.permutation(self.steps).tolist()
        # Gather `TOGETHER` steps at once. The passes of a step are sorted, so that events are read
        # in the order in which they are stored.
        for first in range(0, len(steps), TOGETHER):
            yield from [
                self.gather(
                    plan.take(np.sort(order[cuts[step] : cuts[step + 1]])),
                    rng(self.seed, "negatives", stage, epoch, step),
                )
                for step in steps[first : first + TOGETHER]
            ]

    def targets(self, count: int, random: np.random.Generator) -> np.ndarray:
        """Return the items of `count` training targets, drawn uniformly with replacement."""
        # Draw indices of targets, numbered user by user.
        number = target_counts(self.begin, self.end)
        drawn = random.integers(self.positives, size=count)
        # The user of each drawn target, and the number of targets of the users before.
        user = np.searchsorted(np.cumsum(number), drawn, side="right")
        before = np.cumsum(number)[user] - number[user]
        # Target n of a user (from 0) is n + 1 events after the first event.
        return np.asarray(self.data.event_items[self.begin[user] + 1 + drawn - before])

    def gather(self, plan: Passes, random: np.random.Generator) -> Batch:
        """Return the batch of some passes."""
        # The number of items that each pass reads (B,), and the columns of the longest pass (L,).
        read = plan.end - plan.start
        steps = np.arange(read.max())
        # Items (B, L), padded on the right: clamp the index to the pass, then write 0 behind it.
        inside = steps < read[:, None]
        event = np.minimum(plan.start[:, None] + steps, plan.end[:, None] - 1)
        history = np.where(inside, self.data.event_items[event], 0)
        # The positions that predict a target, row by row: the last `targets` items of each pass.
        row, column = np.nonzero(inside & (steps >= (read - plan.targets)[:, None]))
        # The target of a position is the event right after it.
        targets = self.data.event_items[plan.start[row] + column + 1]
        candidates = targets[:, None]
        if self.count:
            negatives = self.sampler.draw(plan.users[row], self.count, random)
            candidates = np.concatenate([candidates, negatives], axis=1)
        candidates = self.tensor(candidates)
        labels = torch.zeros(candidates.shape, device=self.device)
        labels[:, 0] = 1
        # Where only the ends of histories predict, prefix ends are left out: models then skip the
        # states at other positions.
        prefix_ends = self.tensor(row * len(steps) + column) if len(row) > len(plan.users) else None
        shared = None
        if self.shared is not None:
            shared = self.tensor(random.integers(1, len(self.data.items) + 1, self.shared))
        return Batch(self.tensor(history), candidates, labels, prefix_ends, shared)

    def tensor(self, ids: np.ndarray) -> torch.Tensor:
        """Return ids as an int64 tensor on the device."""
        return torch.from_numpy(ids.astype(np.int64)).to(self.device)
