"""Attributes of items: filters are remembered, values change without touching the old ones."""

from __future__ import annotations

import polars as pl
import pytest

from solidrec.api import Model, add_items, load
from solidrec.errors import UsageError
from solidrec.recommend.attributes import Attributes

FRAME = pl.DataFrame(
    {"item": ["a", "b", "c"], "price": [1.0, None, 3.0], "tags": [["x", "y"], None, ["y"]]}
)


def test_items_that_fit_are_found_once_and_cannot_be_changed() -> None:
    attributes = Attributes(FRAME)
    fits = attributes.fitting("price < 2")
    assert fits.tolist() == [True, False, False]
    assert attributes.fitting("price < 2") is fits
    with pytest.raises(ValueError, match="read-only"):
        fits[0] = False
    assert attributes.fitting("price in ()").tolist() == [False] * 3


def test_labels_are_the_values_of_each_item() -> None:
    attributes = Attributes(FRAME)
    assert attributes.labels("tags") == [("x", "y"), (), ("y",)]
    assert attributes.labels("price") == [(1.0,), (), (3.0,)]


def test_changed_values_are_in_another_object() -> None:
    before = Attributes(FRAME)
    after = before.changed({1: {"price": 1}, 2: {"price": None, "tags": ["z"]}})
    assert after.frame["price"].to_list() == [1.0, 1.0, None]
    assert after.frame["tags"].to_list() == [["x", "y"], None, ["z"]]
    assert after.fitting("price < 2").tolist() == [True, True, False]
    assert before.fitting("price < 2").tolist() == [True, False, False]
    for wrong, why in (
        ({"prize": 1}, "no column 'prize'; did you mean 'price'"),
        ({"item": "z"}, "no column 'item'"),
        ({"price": "much"}, "column 'price' holds values of type Float64"),
    ):
        with pytest.raises(UsageError, match=why):
            before.changed({0: wrong})


def test_a_run_has_its_catalogue_and_the_columns_kept_for_rules(shop: Model) -> None:
    frame = load(shop.run.path).engine.attributes.frame
    assert frame.columns == ["item", "title", "categories", "price", "stock", "maker", "on_sale"]
    assert frame.schema["on_sale"] == pl.Boolean
    assert frame["price"].null_count() == 4


def test_added_items_bring_their_own(shop: Model, tmp_path: object) -> None:
    out = f"{tmp_path}/more"
    new = pl.DataFrame(
        {
            "item": ["n1", "n2"],
            "title": ["thing 1 of kind 1", "thing 2 of kind 2"],
            "price": [2, 90],
        }
    )
    add_items(shop.run.path, new, out=out)
    more = load(out)
    assert more.run.attributes is not None
    assert more.run.attributes["price"].to_list()[-3:] == [39, 2, 90]
    assert more.run.attributes["maker"].to_list()[-2:] == [None, None]
    found = more.recommend(["i03"], 99, filter="price == 2")
    assert {one["item"] for one in found.items} == {"i02", "n1"}
