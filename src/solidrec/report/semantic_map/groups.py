"""The semantic ids of a map: their members, most central items and main modality."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from solidrec.arrays import Floats, Ints
from solidrec.data.prepared import PreparedData
from solidrec.report.semantic_map.names import names_of
from solidrec.semantics.fuse import Fused
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.quality import drivers

_ROWS = 4096
"""Number of vectors at a time, which limits the memory for a large catalogue."""


class Group(NamedTuple):
    """One semantic id, whose ``members`` (n,) are item indices from 1.

    ``central`` has the same items, the most central first, and ``trained`` counts their training
    events. ``driver`` is the modality that holds them together, if there are several modalities.
    ``following`` is the number of different codes of further levels.
    """

    number: int
    name: str
    members: Ints
    central: Ints
    trained: int
    driver: str | None
    following: int


def groups_of(
    data: PreparedData, ids: SemanticIds, fused: Fused, matrices: Mapping[str, np.ndarray]
) -> list[Group]:
    """Return every semantic id of the first level that has members, the largest first."""
    driven = drivers(ids, matrices) if len(ids.modalities) > 1 else [None] * ids.count
    # items by semantic id and then by distance to its centroid, split into one part per id
    apart = _apart_from_centroid(ids, fused)
    order = np.lexsort((apart, ids.of_item[1:]))
    sizes = np.bincount(ids.of_item[1:], minlength=ids.count + 1)
    central = [part + 1 for part in np.split(order, np.cumsum(sizes)[:-1])]
    names = names_of(data, ids, central)
    found = [
        Group(
            number,
            names[number - 1],
            np.sort(central[number]),
            central[number],
            int(data.train_counts[central[number]].sum()),
            driven[number - 1],
            len(np.unique(ids.codes[central[number], 1:], axis=0)) if ids.levels > 1 else 0,
        )
        for number in range(1, ids.count + 1)
        if sizes[number]
    ]
    return sorted(found, key=lambda group: (-len(group.members), -group.trained, group.number))


def _apart_from_centroid(ids: SemanticIds, fused: Fused) -> Floats:
    """Return the squared distance (V,) of each item to its centroid.

    The sum covers the modalities of the item and is divided by their total weight. It is infinite
    for items without any.
    """
    found = np.full(len(fused.vectors), np.inf)
    for start in range(0, len(found), _ROWS):
        rows = slice(start, start + _ROWS)
        own = fused.vectors[rows].astype(np.float64)
        # 1 for each dimension that the item has, so that missing parts do not count
        here = np.repeat(fused.present[rows], fused.widths, axis=1)
        total = (own**2).sum(1)
        apart = ((own - here * ids.centroids[ids.of_item[1:][rows] - 1]) ** 2).sum(1)
        np.divide(apart, total, out=found[rows], where=total > 0)
    return found
