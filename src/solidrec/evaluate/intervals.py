"""Intervals and paired tests of means over users by resampling, seeded and in bounded memory.

`scipy.stats.bootstrap` makes the same draws (a test compares them), but ``scipy.stats`` takes each
command 1.7 s to import.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from solidrec.arrays import Array, Floats
from solidrec.errors import UsageError

_CELLS = 1 << 22  # draws x users at a time: 32 MB of float64


@final
@dataclass(frozen=True)
class _Difference:
    """Mean of a - b over users, its bootstrap interval, and the p of a two-sided sign-flip test."""

    mean: float
    low: float
    high: float
    p: float


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
    return _interval(counted, level=level, draws=draws, seed=seed)


def paired_difference(
    a: Array, b: Array, *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> _Difference:
    """Compare two models by one metric `a` and `b` (U,) of the same users, in the same order.

    p is the share of random sign flips of a - b whose mean is at least as far from 0, the observed
    one included, so it is never below 1 / (draws + 1). A user skipped (NaN) in either takes no
    part. Raises `UsageError` as `bootstrap_mean` does, and if the shapes differ.

    >>> paired_difference(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    Difference(mean=0.0, low=0.0, high=0.0, p=1.0)
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape:
        raise UsageError(
            f"{a.shape} values against {b.shape}; "
            "a paired comparison needs the same users on both sides"
        )
    gaps = _counted(a - b)
    low, high = _interval(gaps, level=level, draws=draws, seed=seed)
    return _Difference(float(gaps.mean()), low, high, _sign_flip_p(gaps, draws=draws, seed=seed))


def _interval(values: Floats, *, level: float, draws: int, seed: int) -> tuple[float, float]:
    check_level(level)
    rng = np.random.default_rng([seed, 0])  # each row of draws resamples the users
    means = _in_chunks(
        lambda rows: values[rng.integers(len(values), size=(rows, len(values)))].mean(1),
        draws,
        len(values),
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _sign_flip_p(gaps: Floats, *, draws: int, seed: int) -> float:
    rng = np.random.default_rng([seed, 1])  # another stream than the interval's
    signs = np.array([-1.0, 1.0])
    sums = _in_chunks(
        lambda rows: signs[rng.integers(2, size=(rows, len(gaps)), dtype=np.int8)] @ gaps,
        draws,
        len(gaps),
    )
    # Rounding must not make equal sums count as different.
    observed = abs(float(gaps.sum())) - 1e-12 * float(np.abs(gaps).sum())
    return float((1 + np.count_nonzero(np.abs(sums) >= observed)) / (draws + 1))


def _in_chunks(draw: Callable[[int], Floats], draws: int, users: int) -> Floats:
    if draws < 1:
        raise UsageError(
            f"{draws} draws were asked; a resampled interval needs 1 or more, 1000 is usual"
        )
    step = max(1, _CELLS // users)
    return np.concatenate([draw(min(step, draws - done)) for done in range(0, draws, step)])


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
