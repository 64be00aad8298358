"""Run the naive reference as a measured system: it trains, evaluates or searches once per line.

python benchmarks/naive_worker.py train/naive/duet/sasrec FOLDER
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from naive import Naive, nearest
from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS
from solidrec.spec import ModelSpec
from speed.data import DATA
from speed.inference import CODES, VECTORS
from speed.measurement import Timed, timed
from speed.training import new_model
from speed.worker import serve

BATCH, STEPS, USERS = 128, 4, 32
"""Small, because searching codes among all differences takes gigabytes; the figures are rates."""
NEGATIVES, TESTED, CODEBOOK_WEIGHT = 4, 99, 0.1


def twin(folder: Path, name: str, backbone: str) -> tuple[Naive, PreparedData]:
    """Return the naive twin of a new model, and the data."""
    data, design = PreparedData.open(folder / DATA), DESIGNS[name]
    spec = ModelSpec.parse({"name": name, "backbone": backbone})
    state, low_rank = new_model(spec, data).state_dict(), design.head == "low-rank"
    return Naive(spec, state, low_rank=low_rank, clipped=design.parts.clip), data


def windows(data: PreparedData, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the history (T, L) and the target (T, 1) of training events for all steps."""
    rng = np.random.default_rng(0)
    history = np.zeros((BATCH * STEPS, length), dtype=np.int64)
    target = np.zeros((BATCH * STEPS, 1), dtype=np.int64)
    for row in range(BATCH * STEPS):
        user = int(rng.integers(1, len(data.users) + 1))
        start, stop = int(data.offsets[user]), int(data.train_end[user])
        at = int(rng.integers(start + 1, stop))
        seen = data.event_items[max(start, at - length) : at]
        history[row, : len(seen)], target[row] = seen, data.event_items[at]
    return torch.from_numpy(history), torch.from_numpy(target)


def training(folder: Path, name: str, backbone: str) -> Callable[[], Timed]:
    """Return a function that trains a few steps, each in the plainest way."""
    model, data = twin(folder, name, backbone)
    history, target = windows(data, model.spec.history_length)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.is_floating_point()], lr=1e-3)

    def steps() -> None:
        for rows, targets in zip(history.split(BATCH), target.split(BATCH), strict=True):
            negatives = torch.randint(1, len(data.items) + 1, (BATCH, NEGATIVES))
            logits, codebook_loss = model(rows, torch.cat([targets, negatives], 1))
            labels = F.pad(torch.ones_like(targets, dtype=logits.dtype), (0, NEGATIVES))
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(logits, labels)
            (loss + CODEBOOK_WEIGHT * codebook_loss).backward()
            optimizer.step()

    return lambda: timed(BATCH * STEPS, steps)


def evaluation(folder: Path, name: str, backbone: str) -> Callable[[], Timed]:
    """Return a function that scores 1 + 99 candidates for some users, without metrics."""
    model, data = twin(folder, name, backbone)
    history, target = windows(data, model.spec.history_length)
    others = torch.randint(1, len(data.items) + 1, (len(target), TESTED))
    candidates = torch.cat([target, others], 1)
    model.eval()

    @torch.no_grad()
    def score() -> None:
        model(history[:USERS], candidates[:USERS])

    return lambda: timed(USERS, score)


def search(folder: Path) -> Callable[[], Timed]:
    """Return a function that finds the nearest codes among all differences."""
    torch.manual_seed(0)
    vectors, codes = torch.randn(VECTORS), torch.randn(CODES, VECTORS[-1])
    return lambda: timed(1, lambda: nearest(vectors, codes))


def main() -> None:
    """Set up the subject and serve requests."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    subject, folder = sys.argv[1], Path(sys.argv[2])
    if subject.startswith("nearest-code/"):
        measure = search(folder)
    else:
        group, _, name, backbone = subject.split("/")
        measure = (training if group == "train" else evaluation)(folder, name, backbone)
    serve(measure, name="naive", requests=sys.stdin, answers=sys.stdout)


if __name__ == "__main__":
    main()
