"""Stability of a model when one event of a history changes (the paper's Table 4, and more)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch

from solidrec.arrays import Array, Floats
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.evaluate.perturb import PERTURBATIONS, add, rbo, uniforms
from solidrec.evaluate.result import average
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.inference.scorer import HistoryScorer, evaluating, own_weights, slices
from solidrec.inference.top import top
from solidrec.metrics import mean, per_row, ranks
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender

_DRAWS = 10
"""Histories of a user that differ in one added item."""
METRICS = ("UAUC", "NDCG@10")
PLACES = 10
_ATTENDED = 300
"""Rows whose first ten places are compared if a model reads candidates (DIN: some 4 us each)."""
_CELLS = 1 << 20  # scores of a catalogue at a time
_ROWS = 256  # users whose generated weights are built at a time


@final
@dataclass(frozen=True)
class Stability:
    """Effect of one event more, less or elsewhere on a model, one value per row (a user's target).

    ``users`` (R,); ``variance`` {metric: (R,)} over `_DRAWS` histories; and by kind of
    perturbation, each (R,), NaN where a history is too short: ``change`` of the AUC, ``overlap`` of
    the first ten places (NaN also where not compared) and ``distance`` of the generated weights,
    None for a static model. The same data and seed give the same users and perturbations for every
    model, so two are compared row by row.
    """

    seed: int
    users: Array
    variance: dict[str, Floats]
    change: dict[str, Floats]
    overlap: dict[str, Floats]
    distance: dict[str, Floats] | None

    def summary(self) -> dict[str, Any]:
        """Return plain values: Table 4's four numbers of each variance, row means of the rest."""
        return {
            "users": len(self.users),
            "seed": self.seed,
            "draws": _DRAWS,
            "variance": {metric: _spread(values) for metric, values in self.variance.items()},
            "perturbations": {
                kind: {
                    "users": len(self.users) - mean(self.change[kind])[1],
                    "ranked": len(self.users) - mean(self.overlap[kind])[1],
                    f"RBO@{PLACES}": average(self.overlap[kind]),
                    "AUC change": average(self.change[kind]),
                    "weights": None if self.distance is None else average(self.distance[kind]),
                }
                for kind in PERTURBATIONS
            },
        }


def _spread(values: Floats) -> dict[str, float | None]:
    """Return median, mean, minimum and maximum of the values that are not NaN, None without any.

    >>> _spread(np.array([0.0, 1.0, 5.0, np.nan]))
    {'median': 1.0, 'mean': 2.0, 'min': 0.0, 'max': 5.0}
    """
    counted = values[~np.isnan(values)]
    if not counted.size:
        return dict.fromkeys(("median", "mean", "min", "max"))
    return {
        "median": float(np.median(counted)),
        "mean": float(counted.mean()),
        "min": float(counted.min()),
        "max": float(counted.max()),
    }


def stability(
    model: Recommender | Mixture,
    data: PreparedData,
    *,
    length: int,
    users: int = 2000,
    seed: int = 0,
) -> Stability:
    """Measure a model on perturbed histories of a sample of at most `users` test rows.

    Histories have up to `length` items. ``variance`` follows Table 4 as far as section 4.4.1 tells:
    each target meets its fixed negatives once for each of `_DRAWS` histories, the user's own with a
    uniformly drawn item as the newest event; it is the population variance of the AUC and of
    NDCG@10 over these. The paper says neither which item is added, nor where, nor how often, and
    its scale is unknown: a variance of numbers in [0, 1] is at most .25, and the paper's mean is
    .42.

    For each of `perturb.PERTURBATIONS` (two neighbours swapped, an item dropped, repeated or
    added): the rank-biased overlap of the catalogue's first ten before and after, the absolute
    change of the AUC, and the distance |W' - W| / |W| of the generated weights over all slots
    together. A history that is too short for a perturbation takes no part. Where the backbone reads
    the candidates (DIN), the overlap is that of the first `_ATTENDED` rows, to save time.

    Draws depend on (`seed`, user) alone. Raises `UsageError` without test rows or positive `users`.
    """
    rows = data.rows("test")
    if users < 1 or not len(rows):
        raise UsageError(f"stability of {users} of {len(rows)} test rows; one or more are needed")
    # of a permutation, the first few are a sample for any number of users
    picked = np.random.default_rng(seed).permutation(len(rows))[:users]
    names, items = rows.users[picked], len(data.items)
    draws = uniforms(names, len(PERTURBATIONS) + _DRAWS, seed=seed)
    histories = data.histories(names, rows.positions[picked], length)
    candidates = np.concatenate([rows.candidates(row, row + 1) for row in picked.tolist()])
    score = scorer_of(model)

    variance = _variance(
        [
            _rank(score, add(histories, draw, items), candidates)
            for draw in draws[:, len(PERTURBATIONS) :].T
        ]
    )
    auc = _rank(score, histories, candidates)["UAUC"]
    shown = slice(len(picked) if score.keeps_vectors else _ATTENDED)
    first = _best(score, histories[shown], items)
    overlap, change, distance = {}, {}, {}
    moves = own_weights(model)
    for (kind, (perturb, needed)), draw in zip(PERTURBATIONS.items(), draws.T, strict=False):
        counted = (histories != 0).sum(1) >= needed
        other = perturb(histories, draw, items)
        moved = np.abs(_rank(score, other, candidates)["UAUC"] - auc)
        change[kind] = np.where(counted, moved, np.nan)
        alike = rbo(first, _best(score, other[shown], items))
        overlap[kind] = np.full(len(picked), np.nan)
        overlap[kind][shown] = np.where(counted[shown], alike, np.nan)
        if moves:
            distance[kind] = np.where(counted, _moved(model, histories, other), np.nan)
    return Stability(
        seed, np.asarray(names), variance, change, overlap, distance if moves else None
    )


def _variance(draws: Sequence[dict[str, Floats]]) -> dict[str, Floats]:
    """Return the variance (R,) of each metric over draws."""
    # differences from the first draw give equal values a variance of exactly 0
    return {
        metric: np.var([found[metric] - draws[0][metric] for found in draws], axis=0)
        for metric in METRICS
    }


def _rank(score: HistoryScorer, histories: Array, candidates: Array) -> dict[str, Floats]:
    """Return the metrics (R,) of targets in column 0 of their `candidates` (R, C)."""
    return per_row(ranks(score(histories, candidates)), (PLACES,))


def _best(score: HistoryScorer, histories: Array, items: int) -> Array:
    """Return the first ten items (R, 10 or all) of the whole catalogue, seen items included."""
    catalogue = np.arange(1, items + 1)[None]
    read = score.read(histories)
    parts = [
        top(read(some, catalogue), PLACES)[1]
        for some in slices(len(histories), max(1, _CELLS // items))
    ]
    return np.asarray(1 + np.concatenate(parts).reshape(len(histories), -1))


def _moved(model: Recommender | Mixture, before: Array, after: Array) -> Floats:
    """Return |W' - W| / |W| (R,) of the weights generated for histories `before` and `after`."""
    parts = []
    with evaluating(model):
        for some in slices(len(before), _ROWS):
            old, new = (_weights(model, histories[some]) for histories in (before, after))
            parts.append(((new - old).norm(dim=1) / old.norm(dim=1)).double().cpu().numpy())
    return np.concatenate(parts)


def _weights(model: Recommender | Mixture, histories: Array) -> torch.Tensor:
    """Return all generated numbers of each history, (R, n)."""
    ids = torch.from_numpy(histories.astype(np.int64)).to(model.items.weight.device)
    return torch.cat(
        [tensor.flatten(1) for tensor in model.generate(ids).weights.tensors.values()], 1
    )
