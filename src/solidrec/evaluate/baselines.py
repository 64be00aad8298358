"""`BASELINES`: the scorers that are counted or solved for, which a trained model has to beat.

Each is made from prepared data and reads its training events alone; *knn-content* also chooses its
weights on validation users.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from solidrec.arrays import Array, Floats
from solidrec.data.prepared import PreparedData
from solidrec.data.windows import ranges
from solidrec.evaluate.als import ALS, REQUIRES
from solidrec.evaluate.ease import EASE
from solidrec.evaluate.item_knn import ItemKNN, Markov, train_pairs
from solidrec.evaluate.neighbours import NEIGHBOURS
from solidrec.evaluate.sessions import SessionKNN
from solidrec.evaluate.slim import SLIM
from solidrec.inference.scorer import Scorer
from solidrec.registry import Registry


def popularity(counts: Array, candidates: Array) -> Floats:
    """Score each candidate (R, C) by its number of training events `counts` (V + 1,), as (R, C).

    >>> popularity(np.array([0, 5, 2]), np.array([[2, 1, 0]])).tolist()
    [[2.0, 5.0, 0.0]]
    """
    return np.asarray(counts, dtype=np.float64)[candidates]


def _recent_counts(data: PreparedData, share: float) -> Array:
    """Count each item (V + 1,) in the latest `share` of all training events, ties in time included.

    Data that are ordered by position within each user have no common time; all events count there.
    """
    if not _has_times(data):
        return data.train_counts
    _, positions = ranges(data.offsets[:-1], data.train_end)
    times = np.asarray(data.event_times)[positions]
    since = np.quantile(times, 1 - share) if len(times) else 0  # start of the latest share
    return np.bincount(data.event_items[positions[times >= since]], minlength=len(data.items) + 1)


def _has_times(data: PreparedData) -> bool:
    """Return whether events of different users can be ordered, by their times."""
    return bool(data.manifest["order"] == "timestamp")


def _counted(counts: Array) -> Scorer:
    return lambda histories, candidates: popularity(
        counts, np.broadcast_to(candidates, (len(histories), candidates.shape[1]))
    )


def _popularity(data: PreparedData) -> Scorer:
    return _counted(data.train_counts)


def _recent_popularity(data: PreparedData, *, share: float = 0.1) -> Scorer:
    return _counted(_recent_counts(data, share))


def _of_events(make: Callable[..., Any]) -> Callable[..., Scorer]:
    def made(data: PreparedData, **settings: Any) -> Scorer:
        events = data.event_items, data.offsets, data.train_end
        score: Scorer = make(*events, items=len(data.items), **settings).score
        return score

    return made


def _v_sknn(data: PreparedData, **settings: Any) -> Scorer:
    times = np.asarray(data.event_times)
    if not _has_times(data):
        times = np.zeros(len(times), dtype=np.int64)  # all users are equally recent
    return _of_events(SessionKNN)(data, times=times, **settings)


def _of_pairs(make: Callable[..., Any]) -> Callable[..., Scorer]:
    def made(data: PreparedData, **settings: Any) -> Scorer:
        score: Scorer = make(
            *train_pairs(data.event_items, data.offsets, data.train_end),
            items=len(data.items),
            **settings,
        ).score
        return score

    return made


BASELINES: Registry[Callable[..., Scorer]] = Registry(
    "baseline",
    "solidrec.baselines",
    {
        "popularity": _popularity,
        "recent-popularity": _recent_popularity,
        "item-knn": _of_events(ItemKNN),
        "markov": _of_events(Markov),
        "v-sknn": _v_sknn,
        "als": _of_pairs(ALS),
        "ease": _of_pairs(EASE),
        "slim": _of_pairs(SLIM),
        **NEIGHBOURS,
    },
)
"""Each is fitted to the training events of the given data and returns a scorer for `evaluate`. Its
settings are keywords; `tune.SPACES` has the values worth trying. *als* needs the extra ``als``."""

EXTRAS = {"als": REQUIRES}
"""Extra and modules that a baseline needs beyond the core."""
