"""Training batches gathered straight from arrays; order and negatives are functions of (seed, stage, epoch, step)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import numpy as np
import torch

from solidrec.batch import Batch
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError
from solidrec.training.seeds import rng


@final
class TrainingBatches:
    """Every training target once an epoch, each with fresh negatives (`TrainSpec.negatives`), in a fresh order.

    A batch has ``history`` (B, L), ``candidates`` (B, 1 + negatives) with the target in column 0, and ``labels``.
    Raises `DataError` when no user has two training events.
    """

    def __init__(self, data: PreparedData, *, length: int, batch: int, negatives: int, seed: int, device: str) -> None:
        self.data, self.length, self.batch, self.count = data, length, batch, negatives
        self.seed, self.device = seed, device
        self.users, self.positions = data.training_targets()
        self.sampler = data.training_negatives()
        if not len(self.users):
            raise DataError("no user has two training events, so there is nothing to learn from; bring longer histories")

    @property
    def steps(self) -> int:
        """Steps of an epoch."""
        return -(-len(self.users) // self.batch)

    def epoch(self, stage: int, epoch: int) -> Iterator[Batch]:
        """Yield the batches of one epoch."""
        order = rng(self.seed, "order", stage, epoch).permutation(len(self.users))
        for step in range(self.steps):
            rows = np.sort(order[step * self.batch : (step + 1) * self.batch])
            yield self.gather(rows, rng(self.seed, "negatives", stage, epoch, step))

    def gather(self, rows: np.ndarray, random: np.random.Generator) -> Batch:
        """Return the batch of some training targets."""
        users, positions = self.users[rows], self.positions[rows]
        negatives = self.sampler.draw(users, self.count, random)
        candidates = np.concatenate([self.data.event_items[positions][:, None], negatives], axis=1)
        labels = torch.zeros(candidates.shape, device=self.device)
        labels[:, 0] = 1
        return Batch(self.tensor(self.data.histories(users, positions, self.length)), self.tensor(candidates), labels)

    def tensor(self, ids: np.ndarray) -> torch.Tensor:
        """Return ids as an int64 tensor on the device."""
        return torch.from_numpy(ids.astype(np.int64)).to(self.device)
