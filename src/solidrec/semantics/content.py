"""Content of an item as one vector: fitted on a catalogue, and applied to items that come later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, final

import numpy as np
import polars as pl

from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError
from solidrec.semantics.fuse import side_by_side
from solidrec.semantics.modality import ID, available, term_vectors, terms
from solidrec.semantics.terms import TermModel

_SAMPLED = 50_000  # items that PCA is fitted on, at most, and that are transformed at a time
_TINY = 1e-4  # smallest standard deviation of unit-length content that is not rounding


class ContentPart(NamedTuple):
    """One modality: its ``name``, its ``width`` F_m, and the model of its ``terms``.

    ``terms`` is None where vectors are given; ``placed``: whether a token's place in its list
    counts.
    """

    name: str
    width: int
    terms: TermModel | None = None
    placed: bool = False


@final
@dataclass(frozen=True)
class ItemContent:
    """The modalities that describe an item (all but its id)."""

    parts: tuple[ContentPart, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each part."""
        return tuple(part.width for part in self.parts)

    def matrices(
        self, catalog: pl.DataFrame, given: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return the (n, F_m) matrix of each modality for the items of `catalog`, zero if missing.

        `given` has the matrices that the catalogue does not hold. Raises `DataError` for a wrong
        shape.
        """
        found = {}
        for part in self.parts:
            if part.terms is not None:
                found[part.name] = part.terms.vectors(terms(catalog, part.name, placed=part.placed))
                continue
            matrix = given.get(part.name, np.zeros((len(catalog), part.width), dtype=np.float32))
            if matrix.shape != (len(catalog), part.width):
                wanted = f"{len(catalog):,} x {part.width:,} as in training"
                raise DataError(
                    f"feature {part.name!r}: is {matrix.shape[0]:,} x {matrix.shape[1]:,}, "
                    f"{wanted} is needed"
                )
            found[part.name] = matrix
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays to store."""
        return {
            f"{part.name}.{name}": array
            for part in self.parts
            if part.terms is not None
            for name, array in (("idf", part.terms.idf), ("components", part.terms.components))
        }

    def facts(self) -> list[dict[str, Any]]:
        """Return everything but the arrays, as plain values."""
        return [
            {
                "name": part.name,
                "width": part.width,
                "placed": part.placed,
                "vocabulary": None if part.terms is None else list(part.terms.vocabulary),
            }
            for part in self.parts
        ]

    @classmethod
    def of(cls, facts: list[dict[str, Any]], arrays: Mapping[str, np.ndarray]) -> Self:
        """Build the content from what `facts` and `arrays` returned."""
        parts = []
        for fact in facts:
            name, vocabulary = fact["name"], fact["vocabulary"]
            model = None
            if vocabulary is not None:
                idf, components = arrays[f"{name}.idf"], arrays[f"{name}.components"]
                model = TermModel(tuple(vocabulary), idf, components)
            parts.append(ContentPart(name, fact["width"], model, fact["placed"]))
        return cls(tuple(parts))


def fit_content(data: PreparedData, *, seed: int = 0) -> tuple[ItemContent, dict[str, np.ndarray]]:
    """Return the content of a prepared catalogue and the (V, F_m) matrix of each modality."""
    parts, matrices = [], {}
    for name in available(data):
        if name == ID:
            continue
        if name in data.features:
            matrices[name] = np.asarray(data.features[name][1:])
            parts.append(ContentPart(name, matrices[name].shape[1]))
        else:
            model, matrices[name], placed = term_vectors(data.catalog, name, seed=seed)
            parts.append(ContentPart(name, matrices[name].shape[1], model, placed))
    return ItemContent(tuple(parts)), matrices


def has_content(matrices: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the mask (V,) of the items that have any of the modalities."""
    return np.asarray(np.any([matrix.any(axis=1) for matrix in matrices.values()], axis=0))


def content_rows(matrices: Mapping[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Return the fused vectors of some rows, without those of the others in memory."""
    return side_by_side([np.asarray(matrix[rows]) for matrix in matrices.values()]).vectors


def principal(
    matrices: Mapping[str, np.ndarray], dim: int, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of items with content, and their principal components (n, dim).

    Each component has unit variance. Random numbers fill those missing up to `dim`.
    """
    from sklearn.decomposition import PCA

    rows = np.flatnonzero(has_content(matrices))
    random = np.random.default_rng(seed)
    found = random.normal(size=(len(rows), dim))
    sample = content_rows(matrices, np.sort(random.permutation(rows)[:_SAMPLED]))
    if len(sample) > 1:
        with np.errstate(invalid="ignore"):  # identical items have no variance
            pca = PCA(min(dim, *sample.shape), random_state=seed).fit(sample)
        spread = np.sqrt(pca.explained_variance_)
        # rows that rotate to the components and scale them to unit variance
        turn = (pca.components_ / np.maximum(spread, 1e-12)[:, None])[spread > _TINY]
        for start in range(0, len(rows), _SAMPLED):
            part = slice(start, start + _SAMPLED)
            found[part, : len(turn)] = (content_rows(matrices, rows[part]) - pca.mean_) @ turn.T
    return rows, found.astype(np.float32)
