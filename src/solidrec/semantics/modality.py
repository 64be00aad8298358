"""Modalities of a data set: matrices, titles, categories, token lists and item embeddings."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import polars as pl

from solidrec.data.prepared import PreparedData
from solidrec.semantics.terms import TermModel, fit_terms, tokens, words

ID, TEXT, CATEGORIES = "id", "text", "categories"


def has_titles(data: PreparedData) -> bool:
    """Return whether any item has a title with a letter or a digit."""
    if "title" not in data.catalog.columns:
        return False
    return bool(data.catalog["title"].str.contains(r"[\p{L}\p{N}]").any())


def has_categories(data: PreparedData) -> bool:
    """Return whether any item has a category."""
    if "categories" not in data.catalog.columns:
        return False
    return bool((data.catalog["categories"].list.len() > 0).any())


def token_columns(data: PreparedData) -> tuple[str, ...]:
    """Return the catalogue's non-empty columns of discrete tokens (``*_tokens*``)."""
    columns = [
        name
        for name, kind in data.catalog.schema.items()
        if "_tokens" in name and isinstance(kind, pl.List)
    ]
    return tuple(name for name in columns if (data.catalog[name].list.len() > 0).any())


def available(data: PreparedData) -> tuple[str, ...]:
    """Return the modalities that a data set has.

    They are its feature matrices, ``text`` if it has titles, ``categories``, its token columns, and
    ``id``.
    """
    content = {TEXT: has_titles(data), CATEGORIES: has_categories(data)}
    content |= dict.fromkeys(token_columns(data), True)
    others = [name for name in content if content[name] and name not in data.features]
    return (*data.features, *others, ID)


def is_described(data: PreparedData) -> bool:
    """Return whether items have features, titles, categories or tokens, besides their id."""
    return available(data) != (ID,)


def modality(
    data: PreparedData, name: str, item_vectors: Callable[[], np.ndarray], *, seed: int
) -> np.ndarray:
    """Return one modality's (V, F) matrix; an item without it has an all-zero row."""
    if name in data.features:
        return np.asarray(data.features[name][1:])
    if name == ID:
        return item_vectors()
    return term_vectors(data.catalog, name, seed=seed).vectors


class _TermVectors(NamedTuple):
    """Term ``model`` of a modality, its ``vectors`` (V, F), and whether tokens were ``placed``."""

    model: TermModel
    vectors: np.ndarray
    placed: bool


def term_vectors(catalog: pl.DataFrame, name: str, *, seed: int) -> _TermVectors:
    """Return the vectors of titles, categories or a token column."""
    placed = is_placed(catalog, name)
    return _TermVectors(*fit_terms(terms(catalog, name, placed=placed), seed=seed), placed)


def terms(catalog: pl.DataFrame, name: str, *, placed: bool) -> list[list[str]]:
    """Return each item's bag of terms: words of its title, its categories, or a column's tokens.

    `placed` is that of `terms.tokens`. Without the column, every item has an empty bag.
    """
    column = "title" if name == TEXT else name
    if column not in catalog.columns:
        return [[] for _ in range(len(catalog))]
    found = catalog[column].to_list()
    if name == TEXT:
        return [words(title) for title in found]
    if name == CATEGORIES:
        return [labels or [] for labels in found]
    return [tokens(codes, placed=placed) for codes in found]


def is_placed(catalog: pl.DataFrame, name: str) -> bool:
    """Return whether a token's place counts.

    It does in lists of one length greater than 1, which are codes of levels.
    """
    if name in (TEXT, CATEGORIES):
        return False
    lengths = catalog[name].list.len().drop_nulls()
    lengths = lengths.filter(lengths > 0).unique()
    return len(lengths) == 1 and lengths[0] > 1
