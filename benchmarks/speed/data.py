"""The data of a benchmark: MovieLens 100K if it is available, else a synthetic log of its shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from solidrec.data.ml100k import find_ml100k
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.data.windows import ranges
from solidrec.errors import StorageError

DATA, LAST, LOG = "data", "last", "log.parquet"
"""Names in the folder of a benchmark: prepared data, prepared last events, log for peers."""
LENGTH = 10
HELD_OUT = 2
"""Events of each user that leave-one-out keeps: one for validation and one for the test."""
USERS, ITEMS, EVENTS = 943, 1_682, 100_000


def write_data(folder: Path) -> str:
    """Write the data of a benchmark into `folder` and return its source."""
    try:
        found = find_ml100k()
        log, source = found.interactions.select("user_id", "item_id", "timestamp"), "MovieLens 100K"
    except StorageError:
        log, source = (
            synthetic_log(users=USERS, items=ITEMS, events=EVENTS),
            "a synthetic log of the shape of MovieLens 100K",
        )
    log = log.sort("timestamp", maintain_order=True)
    data = prepare(log, out=folder / DATA)
    prepare(
        log.group_by("user_id", maintain_order=True).tail(LENGTH + 1 + HELD_OUT), out=folder / LAST
    )
    training_log(data).write_parquet(folder / LOG)
    return source


def training_log(data: PreparedData) -> pl.DataFrame:
    """Return the training events: ``user`` and ``item`` (from 0) and ``time``, ordered by user."""
    users, events = ranges(data.offsets[:-1], data.train_end)
    return pl.DataFrame(
        {
            "user": users.astype(np.int64) - 1,
            "item": data.event_items[events].astype(np.int64) - 1,
            "time": data.event_times[events].astype(np.int64),
        }
    )


def synthetic_log(*, users: int, items: int, events: int, seed: int = 0) -> pl.DataFrame:
    """Return a log with string ids, few popular items, few busy users, and three events per user.

    >>> log = synthetic_log(users=5, items=100, events=50)
    >>> len(log), log["user_id"].n_unique(), log.columns
    (50, 5, ['user_id', 'item_id', 'timestamp'])
    """
    rng = np.random.default_rng(seed)
    # Three events of every user; busy users have most of the others.
    sure = np.tile(np.arange(users), 3)[:events]
    busy = (users * rng.random(events - len(sure)) ** 2).astype(np.int64)
    user = rng.permutation(np.concatenate([sure, busy]))
    item = (items * rng.random(events) ** 3).astype(np.int64)
    return pl.DataFrame(
        {"user": user, "item": item, "timestamp": np.arange(events, dtype=np.int64)}
    ).select(
        user_id=pl.format("u{}", "user"), item_id=pl.format("i{}", "item"), timestamp="timestamp"
    )


def semantic_ids(items: int, codes: int | None = None, seed: int = 0) -> np.ndarray:
    """Return random semantic ids (V + 1,), by default with as many codes as clusters, 6 sqrt(V)."""
    codes = codes or min(items, round(6 * items**0.5))
    rng = np.random.default_rng(seed)
    # Each code occurs at least once; ids are from 1, because 0 is padding.
    drawn = np.concatenate([np.arange(codes), rng.integers(codes, size=items - codes)]) + 1
    return np.concatenate([[0], rng.permutation(drawn)]).astype(np.int64)
