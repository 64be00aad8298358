"""The semantics a data set gets (architecture, section 7), and that they cover the catalogue."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError, UsageError
from solidrec.id_map import IdMap
from solidrec.semantics.fuse import whole
from solidrec.semantics.make_ids import cluster, make, plan
from solidrec.semantics.modality import available
from solidrec.spec import SemanticsSpec

TITLES = [
    "red shirt",
    "blue shirt",
    None,
    "iron pan",
    "steel pan",
    "pan lid",
    "red tie",
    "blue tie",
]
GENRES: list[list[str] | None] = [
    ["wear"],
    ["wear", "blue"],
    None,
    ["kitchen"],
    ["kitchen"],
    ["kitchen"],
    ["wear"],
    ["wear", "blue"],
]
TOKENS = [[1, 2], [1, 3], [1, 2], [4, 2], None, [4, 3], [], [1, 3]]


def data(
    *,
    titles: list[str | None] | None = None,
    genres: Any = None,
    tokens: Any = None,
    features: dict[str, np.ndarray] | None = None,
) -> PreparedData:
    """Eight items without events: all that semantics read."""
    catalog = pl.DataFrame({"item": list("abcdefgh")})
    if titles:
        catalog = catalog.with_columns(pl.Series("title", titles, dtype=pl.String))
    if genres:
        catalog = catalog.with_columns(pl.Series("categories", genres, dtype=pl.List(pl.String)))
    if tokens:
        catalog = catalog.with_columns(pl.Series("text_tokens", tokens, dtype=pl.List(pl.Int64)))
    none = np.zeros(1, dtype=np.int64)
    return PreparedData(
        path=Path(),
        manifest={},
        users=IdMap([]),
        items=IdMap(list("abcdefgh")),
        offsets=none,
        event_items=none.astype(np.int32),
        event_times=none,
        train_end=none,
        catalog=catalog,
        features=features or {},
    )


def matrix(seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(9, 5)).astype(np.float32)
    rows[0] = 0
    return rows


def item_vectors() -> np.ndarray:
    return matrix(7)[1:]


def not_needed() -> np.ndarray:
    raise AssertionError("a model was trained for nothing")


@pytest.mark.parametrize(
    ("has", "method", "modalities"),
    [
        (
            {
                "titles": TITLES,
                "genres": GENRES,
                "features": {"image": matrix(), "text": matrix(1)},
            },
            "kmeans",
            ("image", "text"),
        ),
        ({"titles": TITLES, "genres": GENRES}, "categories", ("text",)),
        ({"genres": GENRES}, "categories", ("id",)),
        ({"titles": TITLES}, "kmeans", ("text",)),
        ({}, "kmeans", ("id",)),
        ({"titles": [None] * 8, "genres": [[]] * 8}, "kmeans", ("id",)),
        ({"titles": ["", "..."] * 4}, "kmeans", ("id",)),
        ({"tokens": TOKENS}, "kmeans", ("text_tokens",)),
        ({"tokens": TOKENS, "genres": GENRES}, "categories", ("text_tokens",)),
        ({"tokens": TOKENS, "titles": TITLES}, "kmeans", ("text",)),
        ({"tokens": [[], None] * 4}, "kmeans", ("id",)),
    ],
)
def test_default_semantics(has: dict[str, Any], method: str, modalities: tuple[str, ...]) -> None:
    """Features, else categories, else titles, else tokens, else id embeddings; each can be made."""
    chosen = plan(data(**has), SemanticsSpec())
    assert (chosen.method, chosen.modalities) == (method, modalities)
    assert chosen.reason
    made = make(data(**has), SemanticsSpec(), item_vectors if "id" in modalities else not_needed)
    assert (made.method, made.modalities, made.reason) == chosen
    assert made.of_item.dtype == np.int64
    assert made.of_item[0] == 0
    assert made.check(8) is made
    assert np.unique(made.of_item[1:]).tolist() == list(range(1, made.count + 1))


def test_what_is_asked_for_wins() -> None:
    everything = data(titles=TITLES, genres=GENRES, features={"image": matrix()})
    assert plan(everything, SemanticsSpec(modalities=("text", "image")))[:2] == (
        "kmeans",
        ("text", "image"),
    )
    assert plan(everything, SemanticsSpec(method="categories", modalities=("image",)))[:2] == (
        "categories",
        ("image",),
    )
    assert plan(everything, SemanticsSpec(method="kmeans"))[:2] == ("kmeans", ("image",))
    assert plan(data(titles=TITLES, genres=GENRES), SemanticsSpec(method="kmeans"))[:2] == (
        "kmeans",
        ("text",),
    )
    assert plan(everything, SemanticsSpec(modalities=("id",)))[:2] == ("kmeans", ("id",))


def test_what_the_data_cannot_serve_is_refused() -> None:
    with pytest.raises(UsageError, match="'imege' is not in the data; did you mean 'image'"):
        plan(data(features={"image": matrix()}), SemanticsSpec(modalities=("imege",)))
    with pytest.raises(UsageError, match="'text' is not in the data"):
        plan(data(), SemanticsSpec(modalities=("text",)))
    with pytest.raises(UsageError, match="no categories"):
        plan(data(titles=TITLES), SemanticsSpec(method="categories"))
    with pytest.raises(DataError, match="zero for every item"):
        make(
            data(features={"image": np.zeros((9, 2), dtype=np.float32)}),
            SemanticsSpec(),
            not_needed,
        )


def test_available_modalities() -> None:
    assert available(data()) == ("id",)
    assert available(data(titles=TITLES, features={"image": matrix()})) == ("image", "text", "id")
    assert available(data(titles=TITLES, features={"text": matrix()})) == ("text", "id")
    assert available(data(titles=TITLES, genres=GENRES)) == ("text", "categories", "id")


def test_row_n_of_a_feature_matrix_is_item_n() -> None:
    """Row 0 is padding: items 1-4 point one way, 5-8 another."""
    features = np.array([[0.0, 0.0]] + [[1.0, 0.0]] * 4 + [[0.0, 1.0]] * 4, dtype=np.float32)
    made = make(data(features={"image": features}), SemanticsSpec(clusters=2), not_needed)
    assert made.of_item.tolist() in ([0, 1, 1, 1, 1, 2, 2, 2, 2], [0, 2, 2, 2, 2, 1, 1, 1, 1])


def test_id_embeddings_are_rows_of_items_1_to_v() -> None:
    vectors = np.repeat(np.eye(2), 4, axis=0)
    made = make(data(), SemanticsSpec(clusters=2), lambda: vectors)
    assert made.of_item.tolist() in ([0, 1, 1, 1, 1, 2, 2, 2, 2], [0, 2, 2, 2, 2, 1, 1, 1, 1])


def test_labels_are_category_names() -> None:
    made = make(data(titles=TITLES, genres=GENRES), SemanticsSpec(), not_needed)
    names = [made.labels[semantic - 1] for semantic in made.of_item[1:]]
    assert all(name in (own or ["(no category)"]) for name, own in zip(names, GENRES, strict=True))


def test_seed_and_clusters_are_obeyed() -> None:
    both = {"image": matrix(), "text": matrix(1)}
    made = [
        make(data(features=both), SemanticsSpec(clusters=4, seed=seed), not_needed)
        for seed in (0, 0, 1)
    ]
    assert [semantic.count for semantic in made] == [4, 4, 4]
    assert made[0].of_item.tobytes() == made[1].of_item.tobytes()
    assert made[2].seed == 1


def test_weights_are_of_modalities_in_use_and_change_the_map() -> None:
    """One modality says 1-4 against 5-8, the other odd against even; the heavier one decides."""
    halves = np.array([[0.0, 0.0]] + [[1.0, 0.0]] * 4 + [[0.0, 1.0]] * 4, dtype=np.float32)
    parity = np.array([[0.0, 0.0]] + [[1.0, 0.0], [0.0, 1.0]] * 4, dtype=np.float32)
    both = data(features={"a": halves, "b": parity})
    for heavy, expected in (("a", [1, 1, 1, 1, 2, 2, 2, 2]), ("b", [1, 2, 1, 2, 1, 2, 1, 2])):
        made = make(both, SemanticsSpec(clusters=2, weights={heavy: 9.0}), not_needed)
        assert made.of_item[1:].tolist() in (expected, [3 - group for group in expected])
        assert made.weights == tuple(9.0 if name == heavy else 1.0 for name in ("a", "b"))
    with pytest.raises(
        UsageError, match=r"semantics.weights: 'c' is not among the modalities used"
    ):
        plan(both, SemanticsSpec(weights={"c": 2.0}))
    with pytest.raises(UsageError, match=r"weights.*greater than 0"):
        SemanticsSpec.parse({"weights": {"a": -1}})


def test_levels_cluster_what_is_left_over() -> None:
    """Points on a grid of two coarse and three fine places: 2 + 3 codes tell all six apart."""
    grid = np.array([[10.0 * coarse, 1.0, fine] for coarse in (0, 1) for fine in (-1.0, 0.0, 1.0)])
    rows = np.repeat(grid, 4, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(24, 3))
    groups, centroids = cluster(whole(rows), 3, levels=2, seed=0, device="cpu")
    left = rows.astype(np.float32) - centroids[groups[:, 0]]
    squares = ((left[:, None] - centroids[3:][None]) ** 2).sum(-1)
    assert np.array_equal(groups[:, 1] - 3, squares.argmin(1))
    rebuilt = centroids[groups].sum(1)
    assert ((rows - rebuilt) ** 2).sum() < ((rows - centroids[groups[:, 0]]) ** 2).sum() / 5


def test_levels_number_on_and_share_the_rule_for_k() -> None:
    rng = np.random.default_rng(0)
    many = {
        "image": np.concatenate([np.zeros((1, 6)), rng.normal(size=(80, 6))]).astype(np.float32)
    }
    many["image"][7] = 0
    items = pl.DataFrame({"item": [str(i) for i in range(80)]})
    big = dataclasses.replace(data(features=many), items=IdMap(items["item"]), catalog=items)
    made = make(big, SemanticsSpec(levels=2), not_needed)
    assert made.codes.shape == (81, 2)
    assert (
        made.count == 10 + 1
    )  # min(6 sqrt 80, 80 / 4) = 20 for both levels, and one for the item without anything
    assert made.codes[7].tolist() == [11, 11]
    others = np.delete(made.codes[1:], 6, axis=0)
    assert np.unique(others[:, 0]).tolist() == list(range(1, 11))
    assert np.unique(others[:, 1]).tolist() == list(range(12, 22))
    assert len(made.centroids) == 10 + 1 + 10
    with pytest.raises(UsageError, match="levels are made by k-means"):
        plan(data(titles=TITLES, genres=GENRES), SemanticsSpec(levels=2))


def test_random_ids_are_even_seeded_and_need_no_content() -> None:
    made = [
        make(data(), SemanticsSpec(method="random", clusters=4, seed=seed), not_needed)
        for seed in (0, 0, 1)
    ]
    for ids in made:
        assert np.bincount(ids.of_item[1:]).tolist() == [0, 2, 2, 2, 2]
        assert (ids.method, ids.modalities, ids.count) == ("random", (), 4)
    assert made[0].of_item.tobytes() == made[1].of_item.tobytes() != made[2].of_item.tobytes()
