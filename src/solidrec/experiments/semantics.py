"""Semantic ids on their own: make them for a prepared folder and look inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from solidrec.console import say
from solidrec.data.prepared import PreparedData
from solidrec.devices import use_threads
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.modality import modality
from solidrec.spec import RunSpec, SemanticsSpec
from solidrec.training.loop import Silent
from solidrec.training.run import trained_vectors
from solidrec.training.semantics import cached_semantics, item_vectors


def make_semantics(path: Path, spec: SemanticsSpec, *, threads: int = 1) -> tuple[PreparedData, SemanticIds]:
    """Open a prepared folder and return it with the semantic ids that `train` would use, made if they are not there."""
    use_threads(threads)
    data = PreparedData.open(path)
    run = RunSpec(data=data.fingerprint, semantics=spec.model_copy(update={"encoded": data.encoded}))
    return data, cached_semantics(data, run, trained_vectors(data, device="cpu", display=Silent()), say=say)


def matrices_of(data: PreparedData, ids: SemanticIds) -> dict[str, np.ndarray]:
    """Return the (V, F) matrix of each modality that semantic ids were made of."""
    run = RunSpec(data=data.fingerprint, semantics=SemanticsSpec(seed=ids.seed))
    train = trained_vectors(data, device="cpu", display=Silent())
    return {name: modality(data, name, lambda: item_vectors(data, run, train), seed=ids.seed) for name in ids.modalities}


def sample_titles(data: PreparedData, ids: SemanticIds, count: int, titles: int = 5) -> list[dict[str, Any]]:
    """Return the `count` largest semantic ids with their sizes, labels and a few titles (item ids where there are none)."""
    names = data.catalog["title"].fill_null(data.catalog["item"]) if "title" in data.catalog.columns else data.catalog["item"]
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
