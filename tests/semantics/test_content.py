"""Content: fitted on a catalogue, kept as plain values and arrays, applied to later items."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError
from solidrec.id_map import IdMap
from solidrec.semantics.content import ItemContent, fit_content, principal
from solidrec.semantics.fuse import side_by_side

COLOURS, THINGS = ("red", "blue", "green"), ("shirt", "pan", "lamp", "chair")
CATALOG = pl.DataFrame(
    {
        "item": [f"{colour} {thing}" for colour in COLOURS for thing in THINGS],
        "title": [f"{colour} {thing}" for colour in COLOURS for thing in THINGS],
        "categories": [[thing] for _ in COLOURS for thing in THINGS],
    }
)
NONE = np.zeros(1, dtype=np.int64)
FEATURE = np.concatenate([np.zeros((1, 3)), np.random.default_rng(0).normal(size=(12, 3))]).astype(
    np.float32
)
DATA = PreparedData(
    path=Path(),
    manifest={},
    users=IdMap([]),
    items=IdMap(CATALOG["item"]),
    offsets=NONE,
    event_items=NONE.astype(np.int32),
    event_times=NONE,
    train_end=NONE,
    catalog=CATALOG,
    features={"image": FEATURE},
)


def test_the_same_items_get_the_same_vectors_again_also_from_the_disk() -> None:
    content, matrices = fit_content(DATA)
    assert (
        [part.name for part in content.parts] == list(matrices) == ["image", "text", "categories"]
    )
    kept = ItemContent.of(json.loads(json.dumps(content.facts())), content.arrays())
    for one in (content, kept):
        again = one.matrices(CATALOG, {"image": FEATURE[1:]})
        for name, matrix in matrices.items():
            np.testing.assert_allclose(again[name], matrix, atol=1e-5)


def test_what_a_new_item_lacks_is_zero_and_another_width_is_refused() -> None:
    content, _ = fit_content(DATA)
    new = pl.DataFrame({"item": ["a", "b"], "title": ["red lamp", None]})
    found = content.matrices(new, {})
    assert found["text"].any(axis=1).tolist() == [True, False]
    assert not found["image"].any()
    assert not found["categories"].any()
    assert side_by_side(list(found.values())).present.tolist() == [[0, 1, 0], [0, 0, 0]]
    with pytest.raises(
        DataError, match=r"feature 'image': is 2 x 4, 2 x 3 as in training is needed"
    ):
        content.matrices(new, {"image": np.ones((2, 4), dtype=np.float32)})


def test_no_content_at_all() -> None:
    bare = dataclasses.replace(DATA, features={}, catalog=CATALOG.select("item"))
    assert fit_content(bare)[0].parts == ()
    fused = side_by_side([np.zeros((2, 3)), np.zeros((2, 1))])
    assert (fused.vectors.shape, fused.present.tolist(), fused.widths) == (
        (2, 4),
        [[0, 0], [0, 0]],
        (3, 1),
    )


def test_principal_components_are_white_and_keep_who_is_near_whom() -> None:
    """Two far groups stay apart; columns have mean 0, variance 1; empty items are left out."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 20)
    matrix = rng.normal(size=(2, 10))[groups] * 5 + 0.1 * rng.normal(size=(40, 10))
    matrix[3] = 0
    rows, vectors = principal({"a": matrix}, 4)
    assert rows.tolist() == [row for row in range(40) if row != 3]
    np.testing.assert_allclose(vectors.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(vectors.std(0, ddof=1), 1, atol=1e-4)
    assert len(set(np.sign(vectors[groups[rows] == 0, 0]))) == 1
    assert np.sign(vectors[0, 0]) != np.sign(vectors[-1, 0])


def test_fewer_components_than_dimensions_are_filled_at_random() -> None:
    matrix = np.stack([np.arange(1.0, 9.0), np.ones(8)], axis=1)
    _, vectors = principal({"a": matrix}, 5)
    assert vectors.shape == (8, 5)
    assert np.linalg.matrix_rank(vectors) == 5
    _, alike = principal({"a": np.ones((4, 2))}, 3)
    assert np.isfinite(alike).all()
