from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.report.semantic_map.names import _distinctive, names_of, title_of
from solidrec.semantics.ids import SemanticIds

TITLES = [
    "Wooden flute, oak",
    "wooden flutes of oak",
    "A wooden flute",
    "Steel drum",
    "drum of steel",
    "Big STEEL drum &amp; stick",
]


def described(
    path: Path, titles: Sequence[str | None] | None, categories: Sequence[list[str]] | None = None
) -> PreparedData:
    """A prepared folder of one item a title or category list, each seen by every user."""
    count = len(titles or categories or [])
    rows = [(f"u{user}", f"i{item}", item) for user in range(3) for item in range(count)]
    items = pl.DataFrame({"item": [f"i{item}" for item in range(count)]})
    if titles is not None:
        items = items.with_columns(title=pl.Series(titles, dtype=pl.String))
    if categories is not None:
        items = items.with_columns(categories=pl.Series(categories, dtype=pl.List(pl.String)))
    return prepare(
        pl.DataFrame(rows, schema=["user", "item", "position"], orient="row"),
        items=items,
        out=path / "data",
        negatives=0,
    )


def ids_of(groups: Sequence[int], *, labels: tuple[str, ...] = ()) -> SemanticIds:
    """Semantic ids as given, from 1 on."""
    codes = np.array([0, *groups])[:, None]
    return SemanticIds(
        codes,
        np.zeros((max(groups), 1), dtype=np.float32),
        labels,
        "kmeans",
        ("text",),
        0,
        "a test",
    )


def named(data: PreparedData, ids: SemanticIds) -> list[str]:
    return names_of(data, ids, [ids.members(number) for number in range(ids.count + 1)])


def test_names_are_the_words_that_set_an_id_apart_in_the_order_of_titles(tmp_path: Path) -> None:
    data = described(tmp_path, TITLES)
    assert named(data, ids_of([1, 1, 1, 2, 2, 2])) == ["wooden flute oak", "steel drum"]


def test_category_labels_are_names_already(tmp_path: Path) -> None:
    data = described(tmp_path, TITLES)
    labels = ("Flutes &amp; Pipes", "Music > Instruments of all kinds > Drums")
    assert named(data, ids_of([1, 1, 1, 2, 2, 2], labels=labels)) == ["Flutes & Pipes", "Drums"]


def test_a_category_is_the_name_where_titles_share_too_little(tmp_path: Path) -> None:
    titles = ["Alpha one", "Beta", "Gamma", "Alpha two", "Epsilon", "Zeta", "Eta", "Theta"]
    data = described(tmp_path, titles, [["all", "film noir"]] * 7 + [["all"]])
    assert named(data, ids_of([1] * 7 + [2])) == ["film noir", "theta"]


def test_an_id_whose_titles_share_nothing_is_named_after_its_centre(tmp_path: Path) -> None:
    data = described(tmp_path, ["Alpha", "Beta", "Gamma", "Delta"])
    assert named(data, ids_of([1, 1, 2, 2])) == ["Alpha", "Gamma"]


def test_without_titles_and_categories_there_are_no_names(tmp_path: Path) -> None:
    data = described(tmp_path, [None] * 4)
    assert named(data, ids_of([1, 1, 2, 2])) == ["", ""]
    assert title_of(data, 3) == "i2"


def test_distinctive_is_tf_idf_by_a_naive_loop() -> None:
    bags = [{"a", "b"}, {"a"}, {"a", "c"}, {"c"}, {"a", "c"}]
    groups = [np.array([], dtype=np.int64), np.array([1, 2]), np.array([3, 4, 5])]

    def score(term: str, group: np.ndarray) -> float:
        share = sum(term in bags[item - 1] for item in group) / len(group)
        return share * float(np.log((len(bags) + 1) / sum(term in bag for bag in bags)))

    found = _distinctive(bags, groups)
    assert found[:2] == [[], [("a", 1.0)]]  # only one of two items has "b"
    assert (
        [term for term, _ in found[2]]
        == sorted(["a", "c"], key=lambda term: -score(term, groups[2]))
        == ["c", "a"]
    )
