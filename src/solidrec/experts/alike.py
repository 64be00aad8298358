"""Content similarity: which items are described by the same words, labels and tokens, or lie near by their vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from solidrec.arrays import Array
from solidrec.data.prepared import PreparedData
from solidrec.experts.neighbours import KEEP, nearest, sparse
from solidrec.semantics.content import content_rows, has_content
from solidrec.semantics.modality import CATEGORIES, TEXT, is_placed, terms
from solidrec.semantics.terms import tf_idf, words

_MEGABYTES = 64
"""Of similarities at a time."""
_TINY = 1e-6
"""Similarities that are no more than rounding."""
_COMMON = 5_000
"""Items with a term from which on it says nothing: it would make everything similar to everything."""
_PROSE = ("text", "description")
"""Columns of which the first that an item has is read where it has no title."""


def described(catalog: pl.DataFrame) -> list[list[str]]:
    """Return each item's bag of terms: words of its title, or of its text without one; brand, categories and tokens.

    >>> described(pl.DataFrame({"item": ["a"], "title": ["Red tie"], "brand": ["Acme"]}))
    [['word:red', 'word:tie', 'brand:acme']]
    """
    bags: list[list[str]] = [[] for _ in range(len(catalog))]

    def add(name: str, found: list[list[str]]) -> None:
        for bag, some in zip(bags, found, strict=True):
            bag.extend(f"{name}:{term}" for term in some)

    if "title" in catalog.columns:
        add("word", terms(catalog, TEXT, placed=False))
    for name in _PROSE:
        if name in catalog.columns:
            prose = [words(text) for text in catalog[name].to_list()]
            add("word", [[] if bag else found for bag, found in zip(bags, prose, strict=True)])
    if "brand" in catalog.columns:
        add("brand", [[brand.lower()] if brand else [] for brand in catalog["brand"].to_list()])
    add(CATEGORIES, terms(catalog, CATEGORIES, placed=False))
    for name, kind in catalog.schema.items():
        if "_tokens" in name and isinstance(kind, pl.List):
            add(name, terms(catalog, name, placed=is_placed(catalog, name)))
    return bags


def alike(catalog: pl.DataFrame, features: Mapping[str, Array]) -> csr_array:
    """Return the (V, V) cosine similarities of items by content, the largest of each row.

    They are those of TF-IDF vectors of `described`. If no item has a term, they are those of the given `features`, (V, F) each,
    centred; without these either, nothing is similar to anything.

    >>> catalog = pl.DataFrame({"item": ["a", "b", "c"], "title": ["red tie", "red hat", "blue mug"]})
    >>> alike(catalog, {}).toarray().round(2).tolist()
    [[0.0, 0.37, 0.0], [0.37, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    bags = described(catalog)
    if any(bags):
        return _most_similar(term_rows(bags))
    if not features:
        return csr_array((len(catalog), len(catalog)), dtype=np.float64)
    known = np.flatnonzero(has_content(features))
    vectors = np.zeros((len(catalog), sum(matrix.shape[1] for matrix in features.values())))
    found = content_rows(features, known)
    vectors[known, : found.shape[1]] = found - found.mean(0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return _most_similar(vectors / np.maximum(lengths, 1e-12))


def term_rows(bags: list[list[str]]) -> csr_array:
    """Return unit TF-IDF rows of bags of terms, without the most common terms."""
    rows = csr_array(tf_idf().fit_transform(bags))
    frequent = np.bincount(rows.indices, minlength=rows.shape[1]) > _COMMON
    rows.data[frequent[rows.indices]] = 0
    rows.eliminate_zeros()
    return rows


def _most_similar(vectors: Any) -> csr_array:
    """Return the largest inner products of each of the unit rows (V, F), dense or sparse, with all others."""
    from sklearn import config_context
    from sklearn.neighbors import NearestNeighbors

    count = vectors.shape[0]
    found = NearestNeighbors(
        n_neighbors=min(KEEP + 1, count), metric="cosine", algorithm="brute"
    ).fit(vectors)
    with config_context(working_memory=_MEGABYTES):
        distances, neighbours = found.kneighbors(vectors)
    rows = np.repeat(np.arange(count), neighbours.shape[1])
    similar = 1 - distances.ravel()
    similar[similar < _TINY] = 0
    return nearest(sparse(rows, neighbours.ravel(), similar, items=count))


def content_of(data: PreparedData) -> csr_array:
    """Return the content similarities of prepared data."""
    return alike(
        data.catalog, {name: np.asarray(matrix[1:]) for name, matrix in data.features.items()}
    )
