"""Embeddings of cold items (without any click) from their content alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, final

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Floats
from solidrec.semantics.content import ItemContent, content_rows, has_content
from solidrec.semantics.fuse import side_by_side

_ALPHAS = np.logspace(-1, 4, 16)
_MOST = 50_000  # items that the map is fitted on, at most
_FEWEST = 20  # and at least: with fewer, all new items get the mean embedding
_WIDEST = 256  # principal components of content that the regression reads, at most
_FOLDS = 5
_SHOWN = 10  # places of a list in which new items are to take their share
_RANKED = 5_000  # items among which that is measured, at most
_LARGEST = 8.0  # stretch
WORTH = 0.05  # least r2 for predictions to be stretched: below, content says too little
Score = Callable[[Floats], npt.NDArray[Any]]
"""Callable that returns scores (B, n) of items with the given embeddings (n, D), for some users."""


@final
@dataclass(frozen=True)
class ColdStart:
    """Ridge regression from content to item embeddings, stretched so that new items are shown.

    ``weight`` (F, D), ``bias`` (D,), ``base`` (D,): the mean embedding, for items without content.
    ``facts``: the penalty ``alpha`` chosen by leave-one-out, the number of ``items`` it was fitted
    on, ``r2``, the share of the embeddings' variance that it explains in items left out, and
    ``stretch``.
    """

    content: ItemContent
    weight: Floats
    bias: Floats
    base: Floats
    facts: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """Return everything but the arrays, as plain values."""
        return {"parts": self.content.facts(), "facts": self.facts}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to store."""
        own = {"map.weight": self.weight, "map.bias": self.bias, "map.base": self.base}
        return self.content.arrays() | own

    @classmethod
    def of(cls, plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Self:
        """Build the map from what `plain` and `arrays` returned."""
        content = ItemContent.of(plain["parts"], arrays)
        return cls(
            content, arrays["map.weight"], arrays["map.bias"], arrays["map.base"], plain["facts"]
        )

    def embed(self, matrices: Mapping[str, np.ndarray]) -> npt.NDArray[np.float32]:
        """Return (n, D) embeddings of items by their content, the mean embedding without any."""
        fused = side_by_side(list(matrices.values()))
        has = fused.present.any(axis=1, keepdims=True)
        return np.where(has, fused.vectors @ self.weight + self.bias, self.base).astype(np.float32)


class _Fitted(NamedTuple):
    """Fitted ``weight`` (F, D), ``bias`` (D,), ``alpha``, and predictions ``left_out`` (n, D).

    ``left_out`` predicts each item from the others by cross-validation.
    """

    weight: Floats
    bias: Floats
    alpha: float
    left_out: Floats


def fit_cold(
    content: ItemContent,
    matrices: Mapping[str, np.ndarray],
    embeddings: np.ndarray,
    counts: np.ndarray,
    *,
    score: Score,
    ranked: int = _RANKED,
    seed: int = 0,
) -> ColdStart:
    """Fit the map on the items seen in training: `embeddings` (V, D), seen `counts` (V,) times.

    An item weighs as often as it was seen, up to the median of those seen, because the embedding of
    a rare item has hardly moved. A regression shrinks what it predicts, so new items would never
    rank among the first; `stretch` finds by `score` how much to stretch it, measured on at most
    `ranked` items. A map that explains less than 5 % is not stretched: that would amplify noise.
    """
    known = np.flatnonzero((counts > 0) & has_content(matrices))
    known = np.random.default_rng(seed).permutation(known)[:_MOST]
    mean = (embeddings[counts > 0] if (counts > 0).any() else embeddings).mean(0).astype(np.float64)
    if len(known) < _FEWEST:
        nothing = np.zeros((sum(content.widths), len(mean)))
        facts = {"items": len(known), "r2": 0.0, "stretch": 1.0}
        return ColdStart(content, nothing, mean, mean.copy(), facts)
    vectors = content_rows(matrices, known).astype(np.float64)
    targets = embeddings[known].astype(np.float64)
    weights = np.minimum(counts[known], np.median(counts[known]))
    found = _regress(vectors, targets, weights)
    explained, centre = _r2(targets, found.left_out, weights), found.left_out.mean(0)
    by = 1.0
    if explained >= WORTH:
        by = stretch(targets[:ranked], found.left_out[:ranked], centre, score)
    facts = {"items": len(known), "alpha": found.alpha, "r2": explained, "stretch": by}
    return ColdStart(content, by * found.weight, centre + by * (found.bias - centre), mean, facts)


def _regress(vectors: Floats, targets: Floats, weights: np.ndarray) -> _Fitted:
    """Fit a ridge regression of `targets` (n, D) on `vectors` (n, F), with PCA where F is large."""
    from sklearn.decomposition import PCA
    from sklearn.linear_model import Ridge, RidgeCV
    from sklearn.model_selection import KFold, cross_val_predict

    turn, mean = np.eye(vectors.shape[1]), np.zeros(vectors.shape[1])
    if min(vectors.shape) > _WIDEST:
        pca = PCA(_WIDEST, svd_solver="covariance_eigh").fit(vectors)
        turn, mean = pca.components_.T, pca.mean_
    seen = (vectors - mean) @ turn
    found = RidgeCV(alphas=_ALPHAS).fit(seen, targets, sample_weight=weights)
    again = Ridge(alpha=found.alpha_)
    left_out = cross_val_predict(
        again, seen, targets, cv=KFold(_FOLDS), params={"sample_weight": weights}
    )
    weight = turn @ found.coef_.T  # of the content itself, before its components
    return _Fitted(weight, found.intercept_ - mean @ weight, float(found.alpha_), left_out)


def _r2(targets: Floats, found: Floats, weights: np.ndarray) -> float:
    """Return the share of the targets' weighted variance that is explained."""
    mean = np.average(targets, axis=0, weights=weights)
    errors, all_of_it = (
        np.average((targets - other) ** 2, axis=0, weights=weights).sum() for other in (found, mean)
    )
    return float(1 - errors / max(all_of_it, 1e-12))


def stretch(
    targets: Floats, found: Floats, centre: Floats, score: Score, *, steps: int = 12
) -> float:
    """Return by how much to stretch predictions from `centre`, so that new items get their share.

    Each of five parts of the items (n, D) is taken as new in turn: it has the embeddings `found`
    without it, the others their `targets`. At the returned factor, found by bisection in 1..8, the
    new items take a fifth of the first ten places of all users.
    """
    low, high = 1.0, _LARGEST
    learned = score(targets)
    shown = min(_SHOWN, len(targets) - 1)
    for _ in range(steps):
        middle = (low * high) ** 0.5  # bisection of the logarithm
        stretched = score(centre + middle * (found - centre))
        shares = []
        for part in np.array_split(np.arange(len(targets)), _FOLDS):
            scores = learned.copy()  # this part is new, the others are learned
            scores[:, part] = stretched[:, part]
            shares.append(np.isin(np.argpartition(-scores, shown, axis=1)[:, :shown], part).mean())
        low, high = (middle, high) if np.mean(shares) < 1 / _FOLDS else (low, middle)
    return float((low * high) ** 0.5)
