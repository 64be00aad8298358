"""Binary cross-entropy per row, to be averaged afterwards."""

from __future__ import annotations

import numpy as np

from solidrec.arrays import Array, Floats, Ints
from solidrec.score_checks import checked, same_shape

_STEEP = 80.0  # above, exp overflows float32; log(1 + exp(x)) equals x long before


def log_loss(logits: Array, labels: Array) -> Floats:
    """Return each row's mean binary cross-entropy (R,); `logits` (R, C) may be of any magnitude.

    >>> log_loss(np.array([[1000.0, -1000.0]]), np.array([[0, 0]])).tolist()
    [500.0]
    """
    logits, _ = checked(logits, None)
    hits = (logits * same_shape(logits, labels, "labels")).sum(1)
    return np.asarray((_softplus(logits) - hits) / logits.shape[1], dtype=np.float64)


def target_loss(scores: Array, target_column: int | Array, candidates: Ints) -> Floats:
    """Return `log_loss` (R,) of rows with one positive, without its checks.

    Scores (R, C) are -inf where a column is no candidate; `candidates` (R,) counts the other
    columns.

    >>> target_loss(np.array([[0.0, 0.0, -np.inf]]), 0, np.array([2])).round(4).tolist()
    [0.6931]
    """
    target = scores[np.arange(len(scores)), target_column]
    return np.asarray((_softplus(scores) - target) / candidates, dtype=np.float64)


def _softplus(x: Array) -> Array:
    """Return each row's sum of log(1 + exp(x)) in the precision of `x`, stable for any size."""
    if x.max(initial=0) > _STEEP:
        return np.asarray(_softplus(np.minimum(x, _STEEP)) + np.maximum(x - _STEEP, 0).sum(1))
    grown = np.exp(x)
    return np.asarray(np.log1p(grown, out=grown).sum(1))
