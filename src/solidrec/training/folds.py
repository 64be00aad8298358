"""Which training events a mixture's weights are learned from, and which experts judge them: those that have not seen them.

What a mixture is for says what its rows look like. Leave-one-out asks for the next item of users in the middle of the log, so
rows are dealt by users (`by_users`). A split by time asks for what comes after everything that was learned, new items and
fashions included, so rows are the last part of the training period (`by_time`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from solidrec.data.prepared import PreparedData
from solidrec.data.split import first_at
from solidrec.data.windows import ranges
from solidrec.errors import DataError
from solidrec.spec import TrainSpec
from solidrec.training.neural import of_users
from solidrec.training.rows import Targets
from solidrec.training.seeds import rng

_FOLDS = 8
"""Parts of the users. Memories for the rows of a part are counted without it, the neural expert is of the other half."""
_ROWS = 100_000
"""Training events that weights are learned from, at most."""
_PERIOD = 0.1
"""Share of the training events that is the last part of the training period."""


class Fold(NamedTuple):
    """Some of the rows: the ``targets``, and the experts that judge them.

    Memories are counted from ``counted``; the neural expert, named ``part``, is trained on ``learned``.
    """

    targets: Targets
    counted: PreparedData
    learned: PreparedData
    part: str


def folds(data: PreparedData, spec: TrainSpec, seed: int) -> Iterator[Fold]:
    """Return all rows that weights are learned from; folds with the same neural expert come after each other."""
    return by_time(data, seed) if spec.folds == "time" else by_users(data, seed)


def by_users(data: PreparedData, seed: int) -> Iterator[Fold]:
    """Deal the users into eight parts; the experts of a row have not seen its user."""
    fold_of = _dealt(data, seed)
    targets = _sampled(data, seed)
    of_row = fold_of[targets.users]
    for half in (0, 1):
        learned = of_users(data, fold_of % 2 != half)
        for fold in range(half, _FOLDS, 2):
            yield Fold(
                targets.take(of_row == fold),
                of_users(data, fold_of != fold),
                learned,
                f"half{half}",
            )


def by_time(data: PreparedData, seed: int) -> Iterator[Fold]:
    """Take the last tenth of the training events; their experts have seen what was before it alone.

    As in validation, an event counts that has an earlier one of its user. Raises `DataError` when there is none, or no user
    has two events before the tenth.
    """
    before = _earlier(data, _period_start(data))
    first = np.maximum(before.train_end, data.offsets[:-1] + 1)
    users, positions = ranges(first, data.train_end)
    if not len(users) or not (before.train_end - data.offsets[:-1] > 1).any():
        raise DataError(
            f"{data.path}: too few training events to learn a mixture's weights from the last tenth of them; move the cuts of "
            "--split time, or train with --set train.folds=users"
        )
    # the first event of a user in the period is what validation and test ask for, so the nearest rows count most
    far = positions - first[users]
    chosen = np.sort(np.lexsort((rng(seed, "gate rows").permutation(len(far)), far))[:_ROWS])
    yield Fold(Targets(users[chosen], positions[chosen], far[chosen]), before, before, "before")


def _period_start(data: PreparedData) -> int:
    """Return the time from which on the last tenth of the training events came, 0 if there are none."""
    _, positions = ranges(data.offsets[:-1], data.train_end)
    times = np.sort(np.asarray(data.event_times)[positions])
    return int(times[min(round(len(times) * (1 - _PERIOD)), len(times) - 1)]) if len(times) else 0


def _earlier(data: PreparedData, cut: int) -> PreparedData:
    """Return data with the training events before the time `cut` alone, and nothing to validate on."""
    ends = first_at(data.offsets[:-1], data.offsets[1:], np.asarray(data.event_times), cut)
    found = of_users(data, np.ones(len(ends), dtype=bool))
    return replace(found, train_end=np.minimum(ends, data.train_end))


def _dealt(data: PreparedData, seed: int) -> np.ndarray:
    """Return the part 0..7 of each user (U + 1,); those who have something to learn from are dealt out evenly."""
    learned = data.train_end - data.offsets[:-1] > 1
    if learned.sum() < 2:
        raise DataError(
            f"{data.path}: a mixture needs two users with two training events each; bring longer histories"
        )
    parts = np.zeros(len(learned), dtype=np.int64)
    parts[learned] = rng(seed, "folds").permutation(learned.sum()) % _FOLDS
    return parts


def _sampled(data: PreparedData, seed: int) -> Targets:
    """Return the training events that weights are learned from when users are dealt, in order."""
    users, positions = data.training_targets()
    chosen = np.sort(rng(seed, "gate rows").permutation(len(users))[:_ROWS])
    users, positions = users[chosen], positions[chosen]
    return Targets(users, positions, data.train_end[users] - 1 - positions)
