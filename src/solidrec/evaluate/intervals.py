"""Intervals of means over users by resampling, seeded and in bounded memory, and Holm's p.

`scipy.stats.bootstrap` makes the same draws (a test compares them), but ``scipy.stats`` takes each
command 1.7 s to import.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solidrec.arrays import Array, Floats
from solidrec.errors import UsageError

_CELLS = 1 << 22  # draws x users at a time: 32 MB of float64


def bootstrap_mean(
    values: Array, *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile bootstrap interval (low, high) of the mean of `values` (U,) over users.

    Users that a metric skipped (NaN) take no part. Raises `UsageError` if none is left or `level`
    is not in (0, 1).

    >>> low, high = bootstrap_mean(np.array([0.0, 1.0] * 50))
    >>> 0.38 < low < 0.42 and 0.58 < high < 0.62
    True
    """
    counted = _counted(np.asarray(values, dtype=np.float64))
    check_level(level)
    if draws < 1:
        raise UsageError(
            f"{draws} draws were asked; a resampled interval needs 1 or more, 1000 is usual"
        )
    rng, users = np.random.default_rng([seed, 0]), len(counted)
    step = max(1, _CELLS // users)
    sizes = [min(step, draws - done) for done in range(0, draws, step)]
    means = [counted[rng.integers(users, size=(rows, users))].mean(1) for rows in sizes]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _counted(values: Floats) -> Floats:
    """Return the values that are not NaN; raises `UsageError` if there is none or ndim is not 1."""
    if values.ndim != 1 or not (counted := values[~np.isnan(values)]).size:
        raise UsageError(
            f"values of shape {values.shape} without a counted user; "
            "give one finite value for each of some users"
        )
    return counted


def check_level(level: float) -> None:
    """Raise `UsageError` for a level of an interval that is no probability."""
    if not 0 < level < 1:
        raise UsageError(f"level {level} is no probability; give one between 0 and 1, such as 0.95")


def holm(p: Sequence[float]) -> list[float]:
    """Return p values after Holm (Scand. J. Statist. 1979): not below the given ones, at most 1.

    >>> [round(value, 2) for value in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    # the smallest of n times n, the next times n - 1, ...
    scaled = np.asarray(p, dtype=np.float64)[order] * np.arange(len(p), 0, -1)
    found = np.empty(len(p))
    found[order] = np.minimum(np.maximum.accumulate(scaled), 1)  # in the order given
    return [float(value) for value in found]
