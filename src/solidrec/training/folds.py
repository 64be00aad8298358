"""Folds: training events for the weights of a mixture, with experts that have not seen them.

The rows resemble what the split asks for. Leave-one-out asks for the next item of users in the
middle of the log, so rows are dealt by users (`by_users`). A split by time asks for what comes
after all training events, new items and fashions included, so rows are the last part of the
training period (`by_time`).
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
"""Parts of the users: a row's memories exclude its part, its neural expert half of the parts."""
_ROWS = 100_000
"""Largest number of training events that weights are learned from."""
_PERIOD = 0.1
"""Share of the training events that forms the last part of the training period."""


class Fold(NamedTuple):
    """Some of the rows: the ``targets``, and the data of the experts that judge them.

    Memories are counted from ``counted``; the neural expert, named ``part``, is trained on
    ``learned``.
    """

    targets: Targets
    counted: PreparedData
    learned: PreparedData
    part: str


def folds(data: PreparedData, spec: TrainSpec, seed: int) -> Iterator[Fold]:
    """Yield all rows that weights are learned from; folds with one neural expert come together."""
    return by_time(data, seed) if spec.folds == "time" else by_users(data, seed)


def by_users(data: PreparedData, seed: int) -> Iterator[Fold]:
    """Deal the users into eight parts; the experts of a row have not seen its user."""
    fold_of = _dealt(data, seed)
    targets = _sampled(data, seed)
    of_row = fold_of[targets.users]
    for half in (0, 1):
        # The neural expert of the rows of one half is trained on the other half of the parts.
        learned = of_users(data, fold_of % 2 != half)
        for fold in range(half, _FOLDS, 2):
            yield Fold(
                targets.take(of_row == fold),
                of_users(data, fold_of != fold),
                learned,
                f"half{half}",
            )


def by_time(data: PreparedData, seed: int) -> Iterator[Fold]:
    """Yield the last tenth of the training events; their experts have seen only earlier events.

    As in validation, an event counts only if its user has an earlier one. Raises `DataError` when
    there is none, or no user has two events before the tenth.
    """
    before = _earlier(data, _period_start(data))
    # The events of the period, without the first event of a user.
    first = np.maximum(before.train_end, data.offsets[:-1] + 1)
    users, positions = ranges(first, data.train_end)
    if not len(users) or not (before.train_end - data.offsets[:-1] > 1).any():
        raise DataError(
            f"{data.path}: too few training events to learn a mixture's weights from the last "
            "tenth of them; move the cuts of --split time, or train with --set train.folds=users"
        )
    # Validation and test ask for a user's first event in their period, so the rows nearest to it
    # are taken, in random order among equals.
    far = positions - first[users]
    chosen = np.sort(np.lexsort((rng(seed, "gate rows").permutation(len(far)), far))[:_ROWS])
    yield Fold(Targets(users[chosen], positions[chosen], far[chosen]), before, before, "before")


def _period_start(data: PreparedData) -> int:
    """Return the time at which the last tenth of the training events begins, 0 without events."""
    _, positions = ranges(data.offsets[:-1], data.train_end)
    times = np.sort(np.asarray(data.event_times)[positions])
    return int(times[min(round(len(times) * (1 - _PERIOD)), len(times) - 1)]) if len(times) else 0


def _earlier(data: PreparedData, cut: int) -> PreparedData:
    """Return data with only the training events before the time `cut`, and no validation split."""
    ends = first_at(data.offsets[:-1], data.offsets[1:], np.asarray(data.event_times), cut)
    found = of_users(data, np.ones(len(ends), dtype=bool))
    return replace(found, train_end=np.minimum(ends, data.train_end))


def _dealt(data: PreparedData, seed: int) -> np.ndarray:
    """Return the part 0..7 of each user (U + 1,); users with training targets are dealt evenly."""
    learned = data.train_end - data.offsets[:-1] > 1
    if learned.sum() < 2:
        raise DataError(
            f"{data.path}: a mixture needs two users with two training events each; "
            "bring longer histories"
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
