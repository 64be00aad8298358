"""Make the semantic ids of prepared data, show samples of them and explain their quality."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from solidrec.console import say
from solidrec.data.prepared import PreparedData
from solidrec.devices import use_threads
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.modality import CATEGORIES, modality
from solidrec.semantics.quality import quality
from solidrec.spec import RunSpec, SemanticsSpec
from solidrec.training.semantics import cached_semantics, item_vectors
from solidrec.training.stages import trained_vectors

_EVENNESS = (
    "The entropy of the sizes as a share of that of equal ones: 1 is equal sizes, 0 is everything "
    "in one."
)
_PURITY = (
    "The share of items that have the category most common in their semantic id (all, where ids "
    "are categories), beside that of shuffled items."
)
_AGREEMENT = (
    "How alike the ids of either modality alone are: 1 the same, 0 as by chance, when each knows "
    "something else."
)
_STABILITY = (
    "How alike the ids of three seeds are, 1 the same and 0 as by chance: the rest is decided by "
    "the draw."
)


def make_semantics(
    path: Path, spec: SemanticsSpec, *, threads: int = 1
) -> tuple[PreparedData, SemanticIds]:
    """Return prepared data with the semantic ids that `train` would use, made if missing."""
    use_threads(threads)
    data = PreparedData.open(path)
    run = RunSpec(
        data=data.fingerprint, semantics=spec.model_copy(update={"encoded": data.encoded})
    )
    return data, cached_semantics(data, run, trained_vectors(data), say=say)


def matrices_of(data: PreparedData, ids: SemanticIds) -> dict[str, np.ndarray]:
    """Return the (V, F) matrix of each modality that semantic ids were made of."""
    run = RunSpec(data=data.fingerprint, semantics=SemanticsSpec(seed=ids.seed))
    train = trained_vectors(data)
    return {
        name: modality(data, name, lambda: item_vectors(data, run, train), seed=ids.seed)
        for name in ids.modalities
    }


class MapNumber(NamedTuple):
    """One quality number in words: its name, its value, and what the value means."""

    name: str
    value: str
    meaning: str


def quality_of(
    data: PreparedData, ids: SemanticIds, matrices: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """Measure semantic ids by `semantics.quality.quality`, given the `matrices` behind them."""
    categories = data.catalog[CATEGORIES].to_list() if CATEGORIES in data.catalog.columns else None
    return quality(ids, matrices, categories)


def explained(found: Mapping[str, Any]) -> list[MapNumber]:
    """Return the available numbers of `quality_of`, explained for a new reader."""
    sizes = found["sizes"]
    spread = f"{sizes['smallest']:,} to {sizes['largest']:,}, median {sizes['median']:g}"
    alone = ""
    if sizes["alone"]:
        alone = f"; {sizes['alone']:,} of one item say no more than the item's own id"
    rows = [
        MapNumber("Sizes", spread, f"Items in a semantic id{alone}."),
        MapNumber("Evenness", f"{found['entropy_share']:.2f}", _EVENNESS),
    ]
    if found["purity"]:
        value, chance = found["purity"]["value"], found["purity"]["chance"]
        rows.append(MapNumber("Purity", f"{value:.2f} (chance {chance:.2f})", _PURITY))
    for pair, value in found["agreement"].items():
        name = f"Agreement of {pair.replace(', ', ' and ')}"
        rows.append(MapNumber(name, f"{value:.2f}", _AGREEMENT))
    if found["stability"] is not None:
        rows.append(MapNumber("Stability", f"{found['stability']:.2f}", _STABILITY))
    return rows


def sample_titles(
    data: PreparedData, ids: SemanticIds, count: int, titles: int = 5
) -> list[dict[str, Any]]:
    """Return the `count` largest semantic ids with sizes, labels and a few titles (or item ids)."""
    names = (
        data.catalog["title"].fill_null(data.catalog["item"])
        if "title" in data.catalog.columns
        else data.catalog["item"]
    )
    sizes = sorted(range(1, ids.count + 1), key=lambda semantic: -len(ids.members(semantic)))
    found = []
    for semantic in sizes[:count]:
        members = ids.members(semantic)
        by_count = members[(-data.train_counts[members]).argsort(kind="stable")]
        found.append(
            {
                "semantic": semantic,
                "items": len(members),
                "label": ids.labels[semantic - 1] if ids.labels else None,
                "titles": [str(names[int(item) - 1]) for item in by_count[:titles]],
            }
        )
    return found
