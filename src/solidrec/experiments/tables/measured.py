"""One row of an experiment's table: a model of several seeds, measured on the same users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self, final

import numpy as np
import polars as pl

from solidrec.arrays import Array
from solidrec.errors import UsageError


@final
@dataclass(frozen=True, eq=False)
class Measured:
    """One row of a table under one protocol.

    ``labels`` are the row's values on the axes of the experiment, ``{"model.name": "solid-duet"}``,
    empty where there is no axis. ``data`` is the fingerprint of the prepared folder, ``users`` (U,)
    are sorted user indices. ``metrics`` is one mapping per seed, with the pooled AUC; ``per_user``
    is {metric: (S, U)}, NaN where a user has nothing to rank, without AUC, which has no value per
    user. A ``deterministic`` row is a baseline that no seed can change. Raises `UsageError` if the
    parts do not fit together.

    >>> per_user = np.array([[1.0, 0.5], [1.0, 0.0]])
    >>> metrics = tuple({"UAUC": float(value)} for value in per_user.mean(1))
    >>> row = Measured("m", {}, (0, 1), "paper", "d", np.array([3, 7]), metrics, {"UAUC": per_user})
    >>> row.mean("UAUC"), row.of_seeds("UAUC"), round(row.spread("UAUC"), 3)
    (0.625, (0.75, 0.5), 0.177)
    """

    name: str
    labels: Mapping[str, str]
    seeds: tuple[int, ...]
    protocol: str
    data: str
    users: Array
    metrics: tuple[Mapping[str, float | None], ...]
    per_user: Mapping[str, Array]
    deterministic: bool = False

    def __post_init__(self) -> None:
        if not self.seeds or not len(set(self.seeds)) == len(self.seeds) == len(self.metrics):
            raise UsageError(
                f"{self.name}: {len(self.metrics)} measurements of seeds {self.seeds}; give one a "
                "seed"
            )
        if (self.users[1:] <= self.users[:-1]).any():
            raise UsageError(
                f"{self.name}: its users are not sorted, or one is there twice; give each once, in "
                "order"
            )
        shape = (len(self.seeds), len(self.users))
        for metric, values in self.per_user.items():
            if values.shape != shape:
                raise UsageError(
                    f"{self.name}: {metric} has shape {values.shape}; its seeds and users make "
                    f"{shape}"
                )

    @classmethod
    def of_frames(
        cls,
        name: str,
        labels: Mapping[str, str],
        frames: Mapping[int, pl.DataFrame],
        metrics: Iterable[Mapping[str, float | None]],
        *,
        protocol: str,
        data: str,
        deterministic: bool = False,
    ) -> Self:
        """Return a row from the values of users: per seed their ``user`` and a column per metric.

        All seeds have the same users and columns.
        """
        first = next(iter(frames.values()))
        per_user = {
            metric: np.stack([frame[metric].to_numpy() for frame in frames.values()])
            for metric in first.columns
            if metric != "user"
        }
        users, means = first["user"].to_numpy(), tuple(metrics)
        return cls(
            name, labels, tuple(frames), protocol, data, users, means, per_user, deterministic
        )

    def of_seeds(self, metric: str) -> tuple[float, ...] | None:
        """Return a metric per seed, None if it was not measured or no user had anything to rank."""
        found = [value for each in self.metrics if (value := each.get(metric)) is not None]
        return tuple(found) if len(found) == len(self.seeds) else None

    def mean(self, metric: str) -> float | None:
        """Return the mean of a metric over seeds, None as `of_seeds`."""
        found = self.of_seeds(metric)
        return None if found is None else float(np.mean(found))

    def spread(self, metric: str) -> float | None:
        """Return the standard deviation over seeds (n - 1), None for one seed and as `of_seeds`."""
        found = self.of_seeds(metric)
        return None if found is None or len(found) < 2 else float(np.std(found, ddof=1))
