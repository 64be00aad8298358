from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.errors import DataError

Put = Callable[..., Path]
Read = Callable[..., Any]
REVIEW = (
    '{"overall": 5.0, "verified": true, "reviewTime": "10 16, 2014", '
    '"reviewerID": "A3W11493KS6Z2L", "asin": "B000K2PJ4K", '
    '"style": {"Size:": " 4 1/2", "Color:": " Black"}, '
    '"reviewText": "x", "unixReviewTime": 1413417600}'
)


def meta(**more: object) -> str:
    record = {
        "category": ["Industrial & Scientific", "Tapes"],
        "tech1": "",
        "description": ["One.", "Two."],
        "title": 'Tape, 1" \u2013 red',
        "also_buy": ["B1", "B2"],
        "brand": "3M",
        "rank": [">#1 in Tapes"],
        "price": "$5.99",
        "asin": "B000K2PJ4K",
    }
    return json.dumps(record | more)


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_ratings_are_item_user_rating_time(put: Put, packed: str, read: Read) -> None:
    found = read(
        put(f"Industrial_and_Scientific.csv{packed}", "0176496920,A2CP8HSNIHPSM5,5.0,1405468800")
    )
    assert found.interactions.frame.collect().rows(named=True) == [
        {
            "item_id": "0176496920",
            "user_id": "A2CP8HSNIHPSM5",
            "rating": "5.0",
            "timestamp": "1405468800",
        }
    ]
    assert (found.dataset, found.items) == ("paper-scientific", None)


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("core", ["_5", ""])
def test_reviews_and_strict_json_metadata(put: Put, packed: str, core: str, read: Read) -> None:
    thumb, large = (
        "https://images-na.ssl-images-amazon.com/images/I/41X._US40_.jpg",
        "https://images/I/41X.jpg",
    )
    put(
        f"meta_Tapes.json{packed}",
        meta(imageURL=[thumb], imageURLHighRes=[large]),
        meta(asin="B2", imageURL=[], image=[thumb]),
    )
    found = read(put(f"Tapes{core}.json{packed}", REVIEW))
    assert found.interactions.frame.collect().rows() == [
        ("A3W11493KS6Z2L", "B000K2PJ4K", "5.0", "1413417600")
    ]
    assert found.items is not None
    first, second = found.items.frame.collect().rows(named=True)
    assert first == {
        "item_id": "B000K2PJ4K",
        "title": 'Tape, 1" – red',
        "categories": ["Industrial & Scientific", "Tapes"],
        "brand": "3M",
        "description": "One. Two.",
        "image": "41X.jpg",
    }
    assert (second["item_id"], second["image"]) == ("B2", "41X._US40_.jpg")


def test_metadata_without_a_picture_has_none(put: Put, read: Read) -> None:
    put(
        "meta_Tapes.json.gz",
        meta(),
        meta(asin="B2", imageURL=[], image=""),
        meta(asin="B3", imageURL=None),
    )
    found = read(put("Tapes_5.json.gz", REVIEW))
    assert found.items is not None
    assert found.items.frame.collect()["image"].to_list() == [None] * 3


def test_metadata_that_repeats_an_item_is_no_error(put: Put, read: Read) -> None:
    put("meta_Tapes.json.gz", meta(title="first"), meta(title="again"))
    found = read(put("Tapes_5.json.gz", REVIEW))
    assert found.items is not None
    assert found.items.frame.collect()["title"].to_list() == ["first"]
    assert "1 records repeat" in found.items.notes[0]


def test_python_literals_are_no_json(put: Put, read: Read) -> None:
    put("meta_Tapes.json.gz", meta(), "{'asin': 'B0'}")
    with pytest.raises(DataError, match=r"meta_Tapes\.json\.gz:2: is not valid JSON"):
        read(put("Tapes_5.json.gz", REVIEW))
