"""Items are found by what their title or id says, the popular first."""

from __future__ import annotations

from solidrec.api import Model
from solidrec.recommend.find import found_items


def test_items_are_found_by_title_or_id_in_any_case(shop: Model) -> None:
    assert [one["item"] for one in found_items(shop.engine, " THING 7 OF")] == ["i07"]
    assert found_items(shop.engine, "I07") == [{"item": "i07", "title": "thing 7 of kind 1"}]
    assert found_items(shop.engine, "(.*)") == []  # a text, not a pattern


def test_the_popular_come_first_and_no_more_than_k(shop: Model) -> None:
    counts = dict(shop.run.catalog.select("item", "training_count").iter_rows())
    found = [one["item"] for one in found_items(shop.engine, "kind 3", k=3)]
    of_kind = [
        item
        for item, title in shop.run.catalog.select("item", "title").iter_rows()
        if title.endswith("kind 3")
    ]
    assert found == sorted(of_kind, key=lambda item: -counts[item])[:3]
    assert len(found_items(shop.engine, "", k=7)) == 7


def test_items_that_are_taken_out_are_not_found(shop: Model) -> None:
    engine, before = shop.engine, shop.engine.attributes
    try:
        engine.attributes = before.showing([engine.run.items.index("i07") - 1], shown=False)
        assert found_items(engine, "i07") == []
        assert len(found_items(engine, "i0", k=20)) == 10 - 1
    finally:
        engine.attributes = before
