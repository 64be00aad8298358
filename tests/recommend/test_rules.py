"""Rules: an answer is the ranking without rules, with what does not fit taken out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.api import Model
from solidrec.errors import UsageError
from solidrec.recommend.rules import NO_RULES, rules_of

HISTORY = ["i03", "i09", "i12"]
Items = list[dict[str, Any]]


def ids(items: Items) -> list[str]:
    return [one["item"] for one in items]


@pytest.fixture(scope="module")
def ranking(shop: Model) -> Items:
    """Every item but the history, best first."""
    return shop.recommend(HISTORY, 40).items


@pytest.fixture(scope="module")
def of(shop_items: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """The columns of an item."""
    return {row["item"]: row for row in shop_items.to_dicts()}


def test_without_rules_the_answer_is_as_ever(shop: Model, ranking: Items) -> None:
    assert shop.recommend(HISTORY, 5, exclude=(), boost={}, diversity=0.0).items == ranking[:5]
    assert rules_of({}) is NO_RULES


def test_a_filter_keeps_the_order_and_finds_k_while_there_are_k(
    shop: Model, ranking: Items, of: dict[str, dict[str, Any]]
) -> None:
    cheap = [
        one
        for one in ranking
        if (99 if of[one["item"]]["price"] is None else of[one["item"]]["price"]) < 20
    ]
    for k in range(1, len(cheap) + 3):
        assert shop.recommend(HISTORY, k, filter="price < 20").items == cheap[:k]
    assert shop.recommend(HISTORY, 5, filter="price < -1").items == []


def test_filters_read_titles_categories_and_kept_columns(
    shop: Model, ranking: Items, of: dict[str, dict[str, Any]]
) -> None:
    def fits(item: str) -> bool:
        row = of[item]
        return "kind 2" in row["categories"] or (row["stock"] > 2 and row["maker"] == "b1")

    found = shop.recommend(
        HISTORY, 40, filter='"kind 2" in categories or (stock > 2 and maker == "b1")'
    )
    assert found.items == [one for one in ranking if fits(one["item"])]
    thing = shop.recommend(HISTORY, 3, filter="'thing 3 ' in title", keep_history=True)
    assert ids(thing.items) == ["i03"]


def test_excluded_items_are_never_returned(shop: Model, ranking: Items) -> None:
    out = ids(ranking)[:4]
    assert shop.recommend(HISTORY, 6, exclude=[*out, "nobody"]).items == ranking[4:10]


def test_candidates_are_ranked_as_in_the_whole_catalogue(shop: Model, ranking: Items) -> None:
    chosen = ["i20", "i07", "i31", "i20", "i03", "none"]
    answer = shop.recommend(HISTORY, 10, candidates=chosen)
    expected = [one for one in ranking if one["item"] in chosen]
    assert ids(answer.items) == ids(expected)
    assert [one["score"] for one in answer.items] == pytest.approx(
        [one["score"] for one in expected], abs=1e-5
    )
    assert answer.ignored == ["none"]
    assert shop.recommend(HISTORY, 10, candidates=[]).items == []
    kept = shop.recommend(HISTORY, 10, candidates=chosen, keep_history=True)
    assert "i03" in ids(kept.items)
    both = shop.recommend(HISTORY, 10, candidates=chosen, filter="price >= 20", exclude=["i31"])
    assert ids(both.items) == ["i20"]


def test_a_boost_multiplies_the_odds(
    shop: Model, ranking: Items, of: dict[str, dict[str, Any]]
) -> None:
    found = {
        one["item"]: one["score"]
        for one in shop.recommend(HISTORY, 40, boost={"maker == 'b1'": 3.0, "on_sale": 0.5}).items
    }
    for one in ranking:
        row = of[one["item"]]
        added = (math.log(3) if row["maker"] == "b1" else 0) + (
            math.log(0.5) if row["on_sale"] else 0
        )
        assert found[one["item"]] == pytest.approx(one["score"] + added, abs=1e-5)


def test_popularity_follows_rules_too(shop: Model, of: dict[str, dict[str, Any]]) -> None:
    plain = shop.recommend([], 40)
    answer = shop.recommend(["unknown"], 40, filter="on_sale", boost={"stock == 0": 2.0})
    assert answer.fallback == "popularity"
    factor = {item: 2.0 if row["stock"] == 0 else 1.0 for item, row in of.items()}
    expected = [
        (one["item"], one["score"] * factor[one["item"]])
        for one in plain.items
        if of[one["item"]]["on_sale"]
    ]
    expected.sort(key=lambda pair: (-pair[1], pair[0]))
    assert [(one["item"], one["score"]) for one in answer.items] == expected


def test_at_most_counts_each_value_of_a_column(
    shop: Model, ranking: Items, of: dict[str, dict[str, Any]]
) -> None:
    answer = shop.recommend(HISTORY, 12, at_most={"categories": 1, "maker": 4})
    taken: list[str] = []
    for one in ranking:  # a loop that takes each item which still fits
        rows = [of[item] for item in taken]
        row = of[one["item"]]
        kinds = sum(bool(set(row["categories"]) & set(other["categories"])) for other in rows)
        makers = sum(row["maker"] == other["maker"] for other in rows)
        if kinds < 1 and makers < 4 and len(taken) < 12:
            taken.append(one["item"])
    assert ids(answer.items) == taken
    assert len(taken) == 8  # there are eight kinds


def test_diversity_takes_the_best_first_and_then_the_least_alike(
    shop: Model, ranking: Items
) -> None:
    vectors = shop.run.model.items.weight.detach().numpy()[1:]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    place = {name: row for row, name in enumerate(shop.run.items.ids)}
    scores = np.array([one["score"] for one in ranking])
    scaled = (scores - scores.min()) / (scores.max() - scores.min())
    taken: list[str] = []
    for _ in range(8):  # maximal marginal relevance, term by term
        gains = {
            one["item"]: 0.6 * value
            - 0.4
            * max(
                (float(vectors[place[one["item"]]] @ vectors[place[other]]) for other in taken),
                default=-1,
            )
            for one, value in zip(ranking, scaled, strict=True)
            if one["item"] not in taken
        }
        taken.append(max(gains, key=lambda item: gains[item]))
    answer = shop.recommend(HISTORY, 8, diversity=0.4)
    assert ids(answer.items) == taken
    assert ids(answer.items)[0] == ids(ranking)[0]
    assert {one["item"]: one["score"] for one in answer.items}.items() <= {
        one["item"]: one["score"] for one in ranking
    }.items()


def test_diversity_never_returns_fewer_than_k_while_k_exist(shop: Model) -> None:
    for diversity in (0.3, 1.0):
        answer = shop.recommend(HISTORY, 37, diversity=diversity, at_most={"categories": 5})
        assert len(answer.items) == len({*ids(answer.items)}) == 37


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"filter": "prize < 3"}, r"filter 'prize < 3': no column 'prize'; did you mean 'price'"),
        ({"filter": 3}, r"filter: input should be a valid string \(got 3\)"),
        ({"boost": {"on_sale": 0}}, r"boost.on_sale: input should be greater than 0"),
        ({"boost": {"on_sale": float("inf")}}, r"boost.on_sale: input should be a finite number"),
        ({"diversity": 1.5}, r"diversity: input should be less than or equal to 1"),
        ({"at_most": {"maker": 0}}, r"at_most.maker: input should be greater than or equal to 1"),
        ({"at_most": {"markers": 2}}, r"at_most: no column 'markers'; did you mean 'maker'"),
        ({"exclude": "i01"}, r"exclude 'i01': give a list of item ids"),
        ({"candidates": {"i01"}}, r"candidates is a set: give a list of item ids"),
        ({"exclud": ["i01"]}, r"unknown rule 'exclud'; did you mean 'exclude'"),
    ],
)
def test_rules_that_cannot_be_followed_are_one_line(
    shop: Model, rules: dict[str, Any], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        shop.recommend(HISTORY, 3, **rules)
