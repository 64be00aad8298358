"""Result of an evaluation: a value per user for every metric, and the summary that is stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import numpy.typing as npt

from solidrec.evaluate.intervals import bootstrap_mean
from solidrec.metrics import by_user, mean

GROUPS = {"cold": (0, 0), "rare": (1, 4), "warm": (5, np.inf)}
"""Targets by how often the item occurs in training: never, 1-4 times, more."""
GROUP_METRICS = ("UAUC", "NDCG@10", "Recall@10")


@final
@dataclass(frozen=True)
class Evaluation:
    """Metrics of one split under one protocol.

    ``users`` (R,) and ``values`` {metric: (R,)} have one row per target, NaN where a row has
    nothing to rank. ``seen`` tells whether the items that a user had before were left out of the
    catalogue (*filter*, *keep*; None under *paper*), ``missed`` how many targets were left out with
    them. ``negatives`` is the number of negatives per target (the average under *full*), ``auc`` is
    pooled over all scores, ``coverage`` is the share of the catalogue in the first ten places of
    any row, and ``training_count`` (R,) is how often each target occurs in training.
    """

    protocol: str
    split: str
    users: npt.NDArray[Any]
    negatives: int
    auc: float
    values: dict[str, npt.NDArray[Any]]
    coverage: float
    training_count: npt.NDArray[Any]
    seen: str | None = None
    missed: int = 0

    @cached_property
    def per_user(self) -> dict[str, npt.NDArray[Any]]:
        """Return each metric averaged within users, (U,) in the order of sorted user indices."""
        return {name: by_user(values, self.users)[1] for name, values in self.values.items()}

    @cached_property
    def metrics(self) -> dict[str, float | None]:
        """Return every metric's mean over users and the pooled AUC, None if nothing was ranked."""
        means = {name: average(values) for name, values in self.per_user.items()}
        return {"AUC": number(self.auc)} | means

    def intervals(self, level: float = 0.95) -> dict[str, list[float | None]]:
        """Return each metric's bootstrap interval over users; Nones where nothing was ranked."""
        return {
            name: [None, None]
            if np.isnan(values).all()
            else [number(end) for end in bootstrap_mean(values, level=level)]
            for name, values in self.per_user.items()
        }

    def debiased(self) -> dict[str, float | None]:
        """Return metrics weighted by (n + 1)^-1/2 for the n training events of each row's target.

        Popular targets count for less. This is the self-normalised inverse propensity estimate for
        a catalogue shown evenly (Yang et al., Unbiased Offline Recommender Evaluation for
        Missing-Not-At-Random Implicit Feedback, RecSys 2018), with propensity (n + 1)^1/2 of being
        observed. A row that ranks nothing takes no part.
        """
        weights = (self.training_count + 1.0) ** -0.5
        return {
            name: number(_weighted_mean(self.values[name], weights))
            for name in GROUP_METRICS[1:]
            if name in self.values
        }

    def groups(self) -> dict[str, dict[str, float | int | None]]:
        """Return the metrics of cold, rare and warm targets separately."""
        found: dict[str, dict[str, float | int | None]] = {}
        for name, (low, high) in GROUPS.items():
            rows = (self.training_count >= low) & (self.training_count <= high)
            means = {
                metric: average(self.values[metric][rows])
                for metric in GROUP_METRICS
                if metric in self.values
            }
            found[name] = {"targets": int(rows.sum()), **means}
        return found

    def summary(self) -> dict[str, Any]:
        """Return everything as plain values, in the form of an entry in ``metrics.json``."""
        return {
            "protocol": self.protocol,
            "split": self.split,
            "seen": self.seen,
            "users": len(np.unique(self.users)),
            "skipped": mean(self.values["UAUC"])[1],
            "negatives": self.negatives,
            "missed": self.missed,
            "metrics": self.metrics,
            "intervals": self.intervals(),
            "debiased": self.debiased(),
            "coverage@10": self.coverage,
            "targets": self.groups(),
        }


def _weighted_mean(values: npt.NDArray[Any], weights: npt.NDArray[Any]) -> float:
    """Return the weighted mean of the values that are not NaN, NaN if there are none.

    >>> _weighted_mean(np.array([1.0, 0.0, np.nan]), np.array([3.0, 1.0, 9.0]))
    0.75
    """
    counted = ~np.isnan(values)
    if not counted.any():
        return float("nan")
    return float(np.average(values[counted], weights=weights[counted]))


def average(values: npt.NDArray[Any]) -> float | None:
    """Return the mean of the values that are not NaN, None if there are none."""
    return number(mean(values)[0])


def number(value: float) -> float | None:
    """Return a value that JSON can hold: None for NaN.

    >>> number(float("nan")), number(0.5)
    (None, 0.5)
    """
    return None if np.isnan(value) else float(value)
