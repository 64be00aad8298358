"""Checks of scores before a metric is computed from them."""

from __future__ import annotations

import numpy as np

from solidrec.arrays import Array, Bools
from solidrec.errors import DivergedError, UsageError


def same_shape(scores: Array, other: Array, name: str) -> Array:
    """Return `other` as an array, or raise `UsageError` unless it has the shape of `scores`."""
    other = np.asarray(other)
    if other.shape != scores.shape:
        raise UsageError(
            f"{name} of shape {other.shape} beside scores of shape {scores.shape}; "
            "give both the same shape"
        )
    return other


def checked(scores: Array, mask: Array | None) -> tuple[Array, Bools]:
    """Return floating scores (R, C) and a new mask of candidates, which must have finite scores."""
    scores = np.asarray(scores)
    if scores.ndim != 2:
        raise UsageError(
            f"scores of shape {scores.shape}; "
            "one row for each user and one column for each candidate are needed"
        )
    scores = floating(scores)
    candidate = (
        np.ones(scores.shape, dtype=bool)
        if mask is None
        else same_shape(scores, mask, "mask").astype(bool)
    )
    finite(scores, candidate)
    return scores, candidate


def floating(scores: Array) -> Array:
    """Return scores as they are if they are float32 or float64, else as float64."""
    return scores if scores.dtype in (np.float32, np.float64) else scores.astype(np.float64)


def finite(scores: Array, counted: Bools | None = None) -> Array:
    """Return `scores` if all, or all `counted` ones, are finite; else raise `DivergedError`."""
    good = np.isfinite(scores) if counted is None else np.isfinite(scores) | ~counted
    if not good.all():
        place = tuple(np.argwhere(~good)[0])
        cure = "the model diverged: lower the learning rate or use an earlier checkpoint"
        raise DivergedError(f"row {place[0]}: a score is {scores[place]}; {cure}")
    return scores
