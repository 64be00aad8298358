"""Choice of the baselines' settings on validation users, with as many trials for each."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.baselines import BASELINES
from solidrec.evaluate.neighbours import judge
from solidrec.inference.scorer import Scorer

_Settings = dict[str, Any]

_TRIALS = 12
"""Trials of each baseline in the shipped experiments; *knn-content* tries as many weights."""
SPACES: dict[str, dict[str, tuple[Any, ...]]] = {
    "popularity": {},
    "recent-popularity": {
        "share": (0.1, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.15, 0.2, 0.3, 0.5, 0.7)
    },
    "item-knn": {"neighbours": (None, 5, 10, 20, 30, 50, 70, 100, 150, 300, 500, 1000)},
    "markov": {},
    "v-sknn": {"neighbours": (100, 5, 10, 20, 30, 50, 70, 150, 200, 300, 500, 1_000)},
    "als": {
        "factors": (64, 32, 128, 256),
        "weight": (40.0, 1.0, 5.0, 15.0),
        "penalty": (100.0, 1.0, 10.0, 30.0),
    },
    "ease": {"penalty": (200.0, 5.0, 10.0, 20.0, 50.0, 100.0, 350.0, 500.0, 700.0, 1e3, 2e3, 5e3)},
    "slim": {"penalty": (5.0, 1.0, 2.0, 10.0, 20.0, 50.0), "l1": (0.1, 0.5)},
    "forward-knn": {"decay": (0.5, 0.3, 0.7, 0.8, 0.9, 1.0), "target": (0.3, 0.5)},
    "symmetric-knn": {"decay": (0.8, 0.3, 0.5, 0.7, 0.9, 1.0), "target": (0.3, 0.5)},
    "content-knn": {"decay": (0.5, 0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 1.0)},
    "knn-content": {},
}
"""Values worth trying of each baseline's settings; those of other packages keep defaults."""
_READS_HISTORIES = ("knn-content",)
"""Baselines that read validation users themselves, and so need the history length."""


class BaselineTrial(NamedTuple):
    """Settings that were tried, and NDCG@10 over the whole catalogue on validation users."""

    settings: _Settings
    valid: float


class _Tuned(NamedTuple):
    """The ``scorer`` and the ``settings`` of the best of all ``trials``."""

    scorer: Scorer
    settings: _Settings
    trials: tuple[BaselineTrial, ...]


def _points(space: dict[str, tuple[Any, ...]], trials: int) -> list[_Settings]:
    """Return at most `trials` points of a grid: its first, then others by a fixed draw.

    >>> _points({"a": (1, 2), "b": (3,)}, 5), _points({}, 5)
    ([{'a': 1, 'b': 3}, {'a': 2, 'b': 3}], [{}])
    """
    # the first point has the first value of every setting, its default
    grid = [dict(zip(space, values, strict=True)) for values in product(*space.values())]
    order = np.random.default_rng(0).permutation(len(grid) - 1) + 1
    return [grid[index] for index in (0, *order[: trials - 1])]


def tune(
    name: str,
    data: PreparedData,
    *,
    length: int,
    trials: int = _TRIALS,
    tried: Callable[[BaselineTrial], None] = lambda trial: None,
) -> _Tuned:
    """Fit a baseline under up to `trials` settings and return the best on validation users.

    Ties go to the first. Histories are read up to `length` items, as in the final evaluation.
    `tried` is called with each trial. Without validation users, or with one trial, the baseline
    keeps its own settings.
    """
    fixed = {"length": length} if name in _READS_HISTORIES else {}
    if trials == 1 or "valid" not in data.manifest["negatives"]:
        return _Tuned(BASELINES[name](data, **fixed), {}, ())
    best: _Tuned | None = None
    found: list[BaselineTrial] = []
    for settings in _points(SPACES.get(name, {}), trials):
        scorer = BASELINES[name](data, **fixed, **settings)
        trial = BaselineTrial(settings, judge(scorer, data, length=length))
        if best is None or trial.valid > max(each.valid for each in found):
            best = _Tuned(scorer, settings, ())
        found.append(trial)
        tried(trial)
    assert best is not None
    return best._replace(trials=tuple(found))
