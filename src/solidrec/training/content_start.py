"""Item embeddings from content: as a start of training, and for items that come later."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError
from solidrec.experts.alike import described, term_rows
from solidrec.nn.recommender import Recommender, dot
from solidrec.semantics.cold import ColdStart, Score, fit_cold
from solidrec.semantics.content import ItemContent, fit_content, principal

_START = 0.1
"""Standard deviation of embeddings when training begins, as of random ones."""


@torch.no_grad()
def start_from_terms(model: Recommender, data: PreparedData, *, seed: int) -> None:
    """Start item embeddings from the first D singular vectors of their TF-IDF rows.

    One bag of all terms of an item says more than its titles, categories and tokens reduced one by
    one. Each dimension is standardised. Items without a term keep their random start; data without
    any terms start from `start_from_content`.
    """
    from sklearn.decomposition import TruncatedSVD

    bags = described(data.catalog)
    if not any(bags):
        start_from_content(model, data, seed=seed)
        return
    rows = term_rows(bags)
    width = min(model.items.embedding_dim, *(size - 1 for size in rows.shape))
    if width < 1:
        return
    vectors = TruncatedSVD(width, random_state=seed).fit_transform(rows)
    # Items whose row has a term.
    known = np.flatnonzero(np.diff(rows.indptr))
    vectors = (vectors - vectors[known].mean(0)) / np.maximum(vectors[known].std(0), 1e-9)
    found = torch.from_numpy(_START * vectors[known]).to(model.items.weight)
    model.items.weight[torch.from_numpy(known + 1), :width] = found


@torch.no_grad()
def start_from_content(model: Recommender, data: PreparedData, *, seed: int) -> None:
    """Start the embeddings of items with content from it; the others keep their random start.

    Raises `UsageError` if no item has content.
    """
    content, matrices = fit_content(data, seed=seed)
    if not content.parts:
        raise UsageError(
            f"model.start=content: the items of {data.path} have no titles, categories or features "
            "to start from"
        )
    rows, vectors = principal(matrices, model.items.embedding_dim, seed=seed)
    found = torch.from_numpy(_START * vectors).to(model.items.weight)
    model.items.weight[torch.from_numpy(rows + 1)] = found


def content_map(
    data: PreparedData, model: Recommender, *, length: int, seed: int
) -> ColdStart | None:
    """Fit a map from content to embeddings for later items; None if no item has content."""
    content, matrices = fit_content(data, seed=seed)
    return _fitted(content, matrices, data, model, length, seed) if content.parts else None


def content_again(
    content: ItemContent, data: PreparedData, model: Recommender, *, length: int, seed: int
) -> ColdStart:
    """Fit the map anew from content as it was read before, also of items that came later."""
    given = {name: np.asarray(matrix[1:]) for name, matrix in data.features.items()}
    return _fitted(content, content.matrices(data.catalog, given), data, model, length, seed)


def _fitted(
    content: ItemContent,
    matrices: Mapping[str, np.ndarray],
    data: PreparedData,
    model: Recommender,
    length: int,
    seed: int,
) -> ColdStart:
    """Fit a map from the content of all items to their embeddings."""
    embeddings, counts = model.items.weight[1:].detach().cpu().numpy(), data.train_counts[1:]
    score, ranked = _some_scores(data, model, length)
    return fit_cold(content, matrices, embeddings, counts, score=score, ranked=ranked, seed=seed)


def _some_scores(data: PreparedData, model: Recommender, length: int) -> tuple[Score, int]:
    """Return a function that scores item embeddings for some users, and how many items to rank.

    The users are as they were after their training events. A backbone that reads the candidates
    encodes every pair, so it gets fewer users and items.
    """
    model.eval()
    most, ranked = (50, 500) if model.backbone.reads_candidates else (500, 5_000)
    # Users with training events, evenly spaced.
    active = np.flatnonzero(data.train_end > data.offsets[:-1])
    chosen = active[np.linspace(0, len(active) - 1, min(most, len(active))).astype(int)]
    windows = data.histories(chosen, data.train_end[chosen], length)
    history = torch.from_numpy(windows.astype(np.int64)).to(model.items.weight.device)

    with torch.no_grad():
        weights = model.generate(history).weights

    @torch.no_grad()
    def score(embeddings: np.ndarray) -> np.ndarray:
        targets = torch.from_numpy(embeddings).to(model.items.weight)[None]
        return np.asarray(dot(model.users(history, targets, weights), targets).cpu().numpy())

    return score, ranked
