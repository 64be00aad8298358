"""A built-in text vector of the title: TF-IDF and truncated SVD, no download needed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MAX_CHARACTERS = 4096


def title_vectors(titles: Sequence[str | None], *, width: int = 64, seed: int = 0) -> np.ndarray:
    """Return a (V, F) float32 matrix, F <= `width`; an item without a usable title has a zero row.

    >>> title_vectors(["red shirt", "red shirt", None, "blue tie"]).shape[0]
    4
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = [(title or "")[:MAX_CHARACTERS] for title in titles]
    if not any(any(character.isalnum() for character in text) for text in texts):
        return np.zeros((len(texts), 1), dtype=np.float32)
    terms = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b").fit_transform(texts)
    width = min(width, terms.shape[1] - 1)
    if width < 1:
        return np.asarray(terms.toarray(), dtype=np.float32)
    with np.errstate(invalid="ignore"):  # titles that are all alike have no variance whose share could be explained
        reduced = TruncatedSVD(width, random_state=seed).fit_transform(terms)
    return np.ascontiguousarray(reduced, dtype=np.float32)
