"""Content similarity of items, by their words, labels and tokens or by their feature vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from solidrec.arrays import Array
from solidrec.data.prepared import PreparedData
from solidrec.experts.sparse_rows import KEEP, nearest, sparse
from solidrec.semantics.content import content_rows, has_content
from solidrec.semantics.modality import CATEGORIES, TEXT, is_placed, terms
from solidrec.semantics.terms import tf_idf, words

_MEGABYTES = 64
"""Memory for similarities that are computed at a time."""
_TINY = 1e-6
"""Similarities below this value are rounding errors."""
_COMMON = 5_000
"""Terms of more items than this are ignored: they would make every item similar to every other."""
_PROSE = ("text", "description")
"""Columns to read for an item without a title; the first that it has is used."""


def described(catalog: pl.DataFrame) -> list[list[str]]:
    """Return each item's bag of terms: words of its title or text, brand, categories and tokens.

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
    """Return the (V, V) content similarities of items, with the largest entries of each row.

    They are the cosine similarities of the TF-IDF vectors of `described`. If no item has a term,
    those of the centred `features`, (V, F) each, are used instead; without features either, no
    items are similar.

    >>> titles = ["red tie", "red hat", "blue mug"]
    >>> catalog = pl.DataFrame({"item": ["a", "b", "c"], "title": titles})
    >>> alike(catalog, {}).toarray().round(2).tolist()
    [[0.0, 0.37, 0.0], [0.37, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """
    bags = described(catalog)
    if any(bags):
        return _most_similar(term_rows(bags))
    if not features:
        return csr_array((len(catalog), len(catalog)), dtype=np.float64)
    # Items without content keep a zero vector, which is similar to nothing.
    known = np.flatnonzero(has_content(features))
    vectors = np.zeros((len(catalog), sum(matrix.shape[1] for matrix in features.values())))
    found = content_rows(features, known)
    vectors[known, : found.shape[1]] = found - found.mean(0)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return _most_similar(vectors / np.maximum(lengths, 1e-12))


def term_rows(bags: list[list[str]]) -> csr_array:
    """Return unit TF-IDF rows of bags of terms, without the most common terms."""
    rows = csr_array(tf_idf().fit_transform(bags))
    # A row holds a term once, so the count of a column is the number of items with the term.
    frequent = np.bincount(rows.indices, minlength=rows.shape[1]) > _COMMON
    rows.data[frequent[rows.indices]] = 0
    rows.eliminate_zeros()
    return rows


def _most_similar(vectors: Any) -> csr_array:
    """Return the largest inner products of each unit row (V, F), dense or sparse, with others."""
    from sklearn import config_context
    from sklearn.neighbors import NearestNeighbors

    count = vectors.shape[0]
    # One neighbour more than is kept, because each row finds itself.
    found = NearestNeighbors(
        n_neighbors=min(KEEP + 1, count), metric="cosine", algorithm="brute"
    ).fit(vectors)
    with config_context(working_memory=_MEGABYTES):
        distances, neighbours = found.kneighbors(vectors)
    # Cosine distances (V, k) become sparse similarities; `nearest` drops the diagonal.
    rows = np.repeat(np.arange(count), neighbours.shape[1])
    similar = 1 - distances.ravel()
    similar[similar < _TINY] = 0
    return nearest(sparse(rows, neighbours.ravel(), similar, items=count))


def content_of(data: PreparedData) -> csr_array:
    """Return the content similarities of prepared data."""
    return alike(
        data.catalog, {name: np.asarray(matrix[1:]) for name, matrix in data.features.items()}
    )
