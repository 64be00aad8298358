"""Vectors of bags of terms (words, category labels, tokens) by TF-IDF and truncated SVD."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Floats32

MAX_CHARACTERS = 4096
_WORD = re.compile(r"(?u)\b\w+\b")
_WIDTH = 64
_NOTHING = 1e-6  # of a vector of about unit length
_MOST_TERMS = 50_000  # rarer terms are left out: article numbers would fill the disk


@final
@dataclass(frozen=True)
class TermModel:
    """Fitted ``vocabulary`` of T terms, ``idf`` (T,) and ``components`` (F, T); see `vectors`.

    An item's vector is the sum of its terms' columns of ``components``, each weighted by sublinear
    TF-IDF of unit length.
    """

    vocabulary: tuple[str, ...]
    idf: npt.NDArray[np.float64]
    components: npt.NDArray[np.float64]

    @cached_property
    def weigher(self) -> Any:
        """The scikit-learn vectorizer with this vocabulary."""
        columns = {term: column for column, term in enumerate(self.vocabulary)}
        vectorizer = tf_idf(vocabulary=columns)
        vectorizer.idf_ = self.idf
        return vectorizer

    def vectors(self, items: Sequence[Sequence[str]]) -> Floats32:
        """Return the (n, F) vectors of bags of terms, a zero row for one without a known term."""
        if not len(items) or not self.vocabulary:
            return np.zeros((len(items), len(self.components)), dtype=np.float32)
        found = self.weigher.transform(items) @ self.components.T
        return np.ascontiguousarray(found, dtype=np.float32)


def fit_terms(
    items: Sequence[Sequence[str]], *, width: int = _WIDTH, seed: int = 0
) -> tuple[TermModel, Floats32]:
    """Fit a model of bags of terms; return it and (V, F) vectors, F <= `width`, 0 for empty bags.

    >>> model, vectors = fit_terms([["red", "shirt"], ["red", "tie"], []], width=2)
    >>> vectors.shape, bool(vectors[2].any()), model.vectors([["blue", "shirt"]]).shape
    ((3, 2), False, (1, 2))
    """
    from sklearn.decomposition import TruncatedSVD

    if not any(len(terms) for terms in items):
        nothing = np.zeros((len(items), 1), dtype=np.float32)
        return TermModel((), np.zeros(0), np.zeros((1, 0))), nothing
    vectorizer = tf_idf(most=_MOST_TERMS)
    weighted = vectorizer.fit_transform(items)
    vocabulary = tuple(vectorizer.get_feature_names_out().tolist())
    exact = TermModel(vocabulary, vectorizer.idf_, np.eye(len(vocabulary)))
    if len(vocabulary) == 1:
        return exact, exact.vectors(items)
    svd = TruncatedSVD(min(width, len(vocabulary) - 1), random_state=seed)
    with np.errstate(invalid="ignore", divide="ignore"):  # identical items have no variance
        reduced = svd.fit_transform(weighted)
    vectors = np.ascontiguousarray(reduced, dtype=np.float32)
    # The SVD has a direction less than there are terms: where no two items share a term, those of
    # one term would look as if they had none.
    lost = (np.abs(vectors).max(axis=1) < _NOTHING) & (weighted.getnnz(axis=1) > 0)
    if lost.any() and len(vocabulary) <= width:
        return exact, exact.vectors(items)
    return TermModel(vocabulary, vectorizer.idf_, svd.components_), vectors


def tf_idf(vocabulary: dict[str, int] | None = None, most: int | None = None) -> Any:
    """Return a scikit-learn vectorizer of bags of terms that keeps the `most` frequent terms."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(
        sublinear_tf=True, analyzer=list, vocabulary=vocabulary, max_features=most
    )


def words(title: str | None) -> list[str]:
    """Return the lower-case words of the first 4,096 characters of a title.

    >>> words("Red SHIRT, 2 pieces"), words(None)
    (['red', 'shirt', '2', 'pieces'], [])
    """
    found = _WORD.findall((title or "")[:MAX_CHARACTERS].lower())
    return [word for word in found if word.strip("_")]


def tokens(codes: Sequence[int] | None, *, placed: bool) -> list[str]:
    """Return discrete tokens as terms; if `placed`, the same token differs from place to place.

    >>> tokens([7, 7], placed=True), tokens([7, 7], placed=False), tokens(None, placed=True)
    (['0:7', '1:7'], ['7', '7'], [])
    """
    return [f"{place}:{code}" if placed else str(code) for place, code in enumerate(codes or ())]
