"""A new item with the content of a known one gets its semantic ids, whatever the item lacks."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.id_map import IdMap
from solidrec.semantics.content import fit_content
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.make_ids import make
from solidrec.semantics.place import place
from solidrec.spec import SemanticsSpec

WORDS = ["red", "blue", "iron", "steel", "shirt", "pan", "lid", "tie", "mug", "lamp"]
LABELS = ["wear", "kitchen", "home", "gift", "sale"]
PARTS = ("image", "clip", "text")


def catalogue(items: int = 480, seed: int = 0) -> PreparedData:
    """Items with two matrices, titles and up to three categories, in every combination.

    Every combination of present and missing parts is equally frequent; nothing has events.
    """
    rng = np.random.default_rng(seed)
    has = np.array(list(product([False, True], repeat=len(PARTS))))[np.arange(items) % 8]
    features = {}
    for part, width in (("image", 6), ("clip", 4)):
        rows = rng.normal(size=(items, width)) * has[:, [PARTS.index(part)]]
        features[part] = np.concatenate([np.zeros((1, width)), rows]).astype(np.float32)
    titles = [" ".join(rng.choice(WORDS, 3)) if own[2] else None for own in has]
    labels = [list(rng.choice(LABELS, rng.integers(0, 4), replace=False)) for _ in has]
    names = [f"i{number}" for number in range(items)]
    frame = pl.DataFrame(
        {"item": names, "title": titles, "categories": labels},
        schema_overrides={"categories": pl.List(pl.String)},
    )
    none = np.zeros(1, dtype=np.int64)
    return PreparedData(
        path=Path(),
        manifest={},
        users=IdMap([]),
        items=IdMap(names),
        offsets=none,
        event_items=none.astype(np.int32),
        event_times=none,
        train_end=none,
        catalog=frame,
        features=features,
    )


@pytest.fixture(scope="module")
def data() -> PreparedData:
    return catalogue()


def again(ids: SemanticIds, data: PreparedData) -> np.ndarray:
    """The ids of new items with exactly the content of the known ones."""
    content, _ = fit_content(data, seed=ids.seed)
    given = {name: matrix[1:] for name, matrix in data.features.items()}
    return place(ids, content.matrices(data.catalog, given), data.catalog["categories"].to_list())


def no_vectors() -> np.ndarray:
    raise AssertionError("a model was trained for nothing")


@pytest.mark.parametrize("weights", [{}, {"image": 2.5}])
@pytest.mark.parametrize(
    "modalities", [("image",), ("image", "clip"), ("text", "image"), ("clip", "text", "image")]
)
@pytest.mark.parametrize(("method", "levels"), [("categories", 1), ("kmeans", 1), ("kmeans", 3)])
def test_the_same_content_has_the_same_ids(
    data: PreparedData,
    method: str,
    levels: int,
    modalities: tuple[str, ...],
    weights: dict[str, float],
) -> None:
    spec = SemanticsSpec(method=method, levels=levels, modalities=modalities, weights=weights)  # type: ignore[arg-type]
    ids = make(data, spec, no_vectors)
    found = again(ids, data)
    assert np.array_equal(found, ids.codes[1:])
