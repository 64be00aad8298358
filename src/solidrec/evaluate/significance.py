"""Significance tests over users and training seeds at once.

Users and seeds are crossed: every training is measured on every user. The variance of a mean over
both is taken as

    var over users of the mean over seeds / U  +  var over seeds of the mean over users / S

which counts the interaction of user and training twice and so errs to the safe side (Owen, "The
pigeonhole bootstrap", Ann. Appl. Stat. 2007). The two parts have U - 1 and S - 1 degrees of
freedom. The p value is that of Behrens and Fisher, the tail of a sum of two independent t variables
scaled by the parts: with 2 to 5 seeds it stays below its level, also far out, where Holm's
correction looks (Robinson, "Properties of Student's t and of the Behrens-Fisher solution", Ann.
Stat. 1976). A single t with the degrees of freedom of Welch and Satterthwaite does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import final

import numpy as np

from solidrec.arrays import Array, Floats
from solidrec.errors import UsageError
from solidrec.evaluate.intervals import check_level, holm

LEVEL = 0.05
"""Corrected p below which a difference gets a star."""
_POINTS = 128  # of each integral; more points change no p by 1e-6
_EDGE = 1e-14  # probability that the integrals leave out on either side
MODELS_ONLY = "one seed: about these models only, no claim about the method"


@final
@dataclass(frozen=True)
class Estimate:
    """Mean over users and training seeds with its interval.

    ``p`` is two-sided for a mean of 0. It is None where the variance is unknown: one seed of a
    trained method (the interval is then over users only and `about_method` false), one user, or a
    difference that is the same everywhere. ``effect`` is Cohen's d_z over users: the mean over the
    standard deviation of the users' means over seeds, None where that is 0.
    """

    mean: float
    low: float
    high: float
    p: float | None
    effect: float | None
    seeds: int
    users: int
    about_method: bool


def crossed(values: Array, *, trained: bool = True, level: float = 1 - LEVEL) -> Estimate:
    """Estimate the mean of `values` (S, U), one row per training seed and one column per user.

    To compare two methods, pass their differences. A user that is NaN in any row takes no part.
    Without `trained`, as between two baselines, S is 1 and users alone vary. Raises `UsageError` if
    no user is left, and for several seeds without `trained`.

    >>> found = crossed(np.array([[0.2, 0.4, 0.3, 0.5], [0.1, 0.3, 0.2, 0.4]]))
    >>> round(found.mean, 3), round(found.effect, 2), round(found.p, 3)
    (0.3, 2.32, 0.131)
    >>> crossed(np.array([[0.2, 0.4, 0.3, 0.5]])).p is None
    True
    """
    check_level(level)
    counted = _counted(values)
    seeds, users = counted.shape
    if not trained and seeds > 1:
        raise UsageError(f"{seeds} seeds of what is not trained; give one")
    mean, of_users = float(counted.mean()), counted.mean(0)
    spread = float(np.std(of_users, ddof=1)) if users > 1 else 0.0
    parts = [(spread**2 / users, users - 1)]
    if seeds > 1:
        parts.append((float(np.var(counted.mean(1), ddof=1)) / seeds, seeds - 1))
    known = users > 1 and (mean == 0 or any(part for part, _ in parts))  # some variance
    reach = _reach(1 - level, parts) if known else 0.0
    about_method = not trained or seeds > 1
    return Estimate(
        mean,
        mean - reach,
        mean + reach,
        _p(mean, parts) if known and about_method else None,
        mean / spread if spread else None,
        seeds,
        users,
        about_method,
    )


def _counted(values: Array) -> Floats:
    """Return the columns of `values` (S, U) without NaN; raises `UsageError` if there are none."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or not (counted := values[:, ~np.isnan(values).any(0)]).size:
        raise UsageError(
            f"values of shape {values.shape} without a counted user; "
            "give (seeds, users), finite for some users"
        )
    return counted


def corrected(p: Sequence[float | None]) -> list[float | None]:
    """Return the p values of a family after Holm; None was not tested and does not count.

    >>> corrected([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    found = iter(holm([value for value in p if value is not None]))
    return [None if value is None else next(found) for value in p]


def earns_star(mean: float, p: float | None) -> bool:
    """Return whether a difference is marked: it is positive and its corrected `p` below `LEVEL`.

    >>> earns_star(0.1, 0.04), earns_star(-0.1, 0.04), earns_star(0.1, 0.05), earns_star(0.1, None)
    (True, False, False, False)
    """
    return p is not None and p < LEVEL and mean > 0


def _p(distance: float, parts: Sequence[tuple[float, int]]) -> float:
    """Return the chance that a sum of t variables is at least `distance` from 0.

    `parts` are (variance, degrees of freedom). Given its chi-square, a t variable is normal, and so
    is the sum; only a smooth integral over the chi-squares is left.
    """
    from scipy.special import erfc

    weights, variance = _mixture(parts)
    if distance == 0:
        return 1.0
    return float(np.sum(weights * erfc(abs(distance) / np.sqrt(2 * variance))))


def _reach(tail: float, parts: Sequence[tuple[float, int]]) -> float:
    """Return the distance beyond which `tail` lies: the half width of an interval."""
    from scipy.optimize import brentq
    from scipy.special import erfc

    weights, variance = _mixture(parts)
    scale = np.sqrt(sum(part for part, _ in parts))
    if scale == 0:
        return 0.0
    root = np.sqrt(2 * variance) / scale

    def beyond(log_distance: float) -> float:
        return float(np.sum(weights * erfc(np.exp(log_distance) / root))) - tail

    return float(scale * np.exp(brentq(beyond, -20, 40, xtol=1e-10)))


def _mixture(parts: Sequence[tuple[float, int]]) -> tuple[Floats, Floats]:
    """Return weights and variances of the normal mixture that equals a sum of t variables."""
    weights, variance = np.ones(1), np.zeros(1)
    for part, freedom in parts:
        if part == 0:
            continue
        weight, scale = _inverse_chi_square(freedom)
        # every combination of the points so far with those of this part
        weights = np.outer(weights, weight).ravel()
        variance = np.add.outer(variance, part * scale).ravel()
    return weights, variance


@cache
def _inverse_chi_square(freedom: int) -> tuple[Floats, Floats]:
    """Return weights and values of freedom / chi-square, by the trapezoid rule over its log."""
    from scipy.special import gammainccinv, gammaincinv

    ends = np.log([2 * gammaincinv(freedom / 2, _EDGE), 2 * gammainccinv(freedom / 2, _EDGE)])
    log = np.linspace(ends[0], ends[1], _POINTS)
    density = log * freedom / 2 - np.exp(log) / 2  # its logarithm: a bell over `log`
    weight = np.exp(density - density.max())
    return weight / weight.sum(), freedom * np.exp(-log)
