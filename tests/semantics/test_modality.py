"""What a data set has by itself becomes a matrix a modality; a zero row is an item without it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl

from solidrec.data.prepared import PreparedData
from solidrec.id_map import IdMap
from solidrec.semantics.modality import available, is_placed, modality, terms, token_columns

CATALOG = pl.DataFrame(
    {
        "item": list("abcd"),
        "title": ["Red shirt", "red tie", None, "..."],
        "categories": [["wear", "red"], ["wear"], [], None],
        "image_tokens": [[1, 2], [2, 1], [1, 2], None],
        "word_tokens": [[5], [5, 6, 7], [], [6, 7]],
    },
    schema_overrides={"categories": pl.List(pl.String)},
)
NONE = np.zeros(1, dtype=np.int64)
DATA = PreparedData(
    path=Path(),
    manifest={},
    users=IdMap([]),
    items=IdMap(list("abcd")),
    offsets=NONE,
    event_items=NONE.astype(np.int32),
    event_times=NONE,
    train_end=NONE,
    catalog=CATALOG,
    features={},
)


def vectors(name: str, data: PreparedData = DATA) -> np.ndarray:
    return modality(data, name, lambda: np.full((4, 2), 3.0), seed=0)


def test_everything_that_is_there_is_available() -> None:
    assert token_columns(DATA) == ("image_tokens", "word_tokens")
    assert available(DATA) == ("text", "categories", "image_tokens", "word_tokens", "id")


def test_missing_content_is_a_zero_row() -> None:
    there = {
        "text": [1, 1, 0, 0],
        "categories": [1, 1, 0, 0],
        "image_tokens": [1, 1, 1, 0],
        "word_tokens": [1, 1, 0, 1],
    }
    for name, expected in there.items():
        assert vectors(name).any(axis=1).astype(int).tolist() == expected


def test_tokens_count_by_place_where_all_lists_are_equally_long() -> None:
    assert [
        is_placed(CATALOG, name) for name in ("image_tokens", "word_tokens", "text", "categories")
    ] == [True, False, False, False]
    assert terms(CATALOG, "image_tokens", placed=True)[:2] == [["0:1", "1:2"], ["0:2", "1:1"]]
    assert terms(CATALOG, "word_tokens", placed=False)[1] == ["5", "6", "7"]
    assert terms(CATALOG, "text", placed=False)[0] == ["red", "shirt"]
    assert terms(CATALOG, "other_tokens", placed=True) == [[]] * 4
    alike = vectors("image_tokens")
    np.testing.assert_allclose(alike[0], alike[2], atol=1e-6)
    assert abs(alike[0] @ alike[1]) < 1e-6


def test_a_given_matrix_comes_before_what_has_its_name() -> None:
    given = np.arange(10, dtype=np.float32).reshape(5, 2)
    data = dataclasses.replace(DATA, features={"text": given})
    assert np.array_equal(vectors("text", data), given[1:])
    assert available(data).count("text") == 1
    assert vectors("id").tolist() == [[3.0, 3.0]] * 4
