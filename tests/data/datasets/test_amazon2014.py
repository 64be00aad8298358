from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.datasets.amazon2014 import FORMAT
from solidrec.data.prepare import prepare
from solidrec.errors import DataError

Put = Callable[..., Path]
Read = Callable[..., Any]
REVIEW = (
    '{"reviewerID": "A2SUAM1J3GNN3B", "asin": "0000013714", "reviewerName": "J. McDonald", '
    '"helpful": [2, 3], "reviewText": "I bought this\\nfor my husband, he\'s happy", '
    '"overall": 5.0, "summary": "Heavenly", '
    '"unixReviewTime": 1252800000, "reviewTime": "09 13, 2009"}'
)
META = (
    "{'asin': '0000013714', 'title': \"Levi's Girls' Ballet Tutu: 100%, \\\"Zebra\\\"\", "
    "'price': 3.17, "
    "'imUrl': 'http://ecx.images-amazon.com/images/I/51fAmVkTbyL._SY300_.jpg', "
    "'related': {'also_bought': ['B00JHONN1S', 'B002BZX8Z6']}, "
    "'salesRank': {'Toys & Games': 211836}, 'brand': 'Coxlures', 'description': 'A tutu.', "
    "'categories': [['Sports & Outdoors', 'Dance'], ['Clothing', 'Girls']]}"
)


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_ratings_without_a_header_are_user_item_rating_time(
    put: Put, packed: str, read: Read
) -> None:
    found = read(
        put(
            f"ratings_Toys_and_Games.csv{packed}",
            "A1KLRMWW2FWPL4,0439886341,5.0,1297468800",
            "#oc-R1,B000,1.0,7",
        )
    )
    assert found.interactions.frame.collect().rows(named=True) == [
        {
            "user_id": "A1KLRMWW2FWPL4",
            "item_id": "0439886341",
            "rating": "5.0",
            "timestamp": "1297468800",
        },
        {"user_id": "#oc-R1", "item_id": "B000", "rating": "1.0", "timestamp": "7"},
    ]
    assert (found.items, found.dataset) == (None, None)
    assert found.source.startswith("Amazon reviews 2014: ratings_Toys_and_Games.csv")
    assert "McAuley" in found.source


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("core", ["_5", ""])
def test_reviews_and_python_literal_metadata(put: Put, packed: str, core: str, read: Read) -> None:
    put(f"meta_Toys_and_Games.json{packed}", META, "{'asin': 'B1', 'categories': [[]]}")
    found = read(put(f"reviews_Toys_and_Games{core}.json{packed}", REVIEW))
    assert found.interactions.frame.collect().rows() == [
        ("A2SUAM1J3GNN3B", "0000013714", "5.0", "1252800000")
    ]
    assert found.items is not None
    assert found.items.frame.collect().rows(named=True) == [
        {
            "item_id": "0000013714",
            "title": "Levi's Girls' Ballet Tutu: 100%, \"Zebra\"",
            "categories": ["Sports & Outdoors", "Dance", "Clothing", "Girls"],
            "brand": "Coxlures",
            "description": "A tutu.",
            "image": "51fAmVkTbyL._SY300_.jpg",
        },
        {
            "item_id": "B1",
            "title": None,
            "categories": [],
            "brand": None,
            "description": None,
            "image": None,
        },
    ]


def test_a_hostile_line_of_metadata_is_named_and_not_run(
    put: Put, tmp_path: Path, read: Read
) -> None:
    put("meta_Toys.json.gz", META, f"__import__('os').system('touch {tmp_path}/hacked')")
    with pytest.raises(DataError, match=r"meta_Toys\.json\.gz:2: is not a Python literal"):
        read(put("ratings_Toys.csv", "A1KLRMWW2FWPL4,0439886341,5.0,1297468800"))
    assert not (tmp_path / "hacked").exists()


def test_a_folder_prepares_with_its_metadata(put: Put, tmp_path: Path) -> None:
    put("raw/meta_Toys.json.gz", META)
    rows = [
        f"A{user},{item:010},5.0,{user + item}" for user in range(4) for item in range(13712, 13716)
    ]
    put("raw/ratings_Toys.csv.gz", *rows, *("A9,0000000001,1.0,3", "A9,0000000002,1.0,4"))
    data = prepare(tmp_path / "raw", out=tmp_path / "data", negatives=1)
    assert [data.manifest[key] for key in ("users", "items", "interactions")] == [
        5,
        4 + 2,
        4 * 4 + 2,
    ]
    row = data.catalog.row(data.items.index("0000013714") - 1, named=True)
    assert (row["brand"], row["categories"][0]) == ("Coxlures", "Sports & Outdoors")
    assert data.manifest["published"] is None
    assert (
        data.manifest["source"]
        == f"Amazon reviews 2014: ratings_Toys.csv.gz + meta_Toys.json.gz; {FORMAT.terms}"
    )


def test_a_bad_row_of_a_file_without_a_header_has_its_own_line_number(
    put: Put, tmp_path: Path
) -> None:
    path = put(
        "ratings_Toys.csv",
        "A1,B000000001,5.0,1",
        "A1,B000000002,5.0",
        "A1,B000000003,5.0,yesterday",
    )
    with pytest.raises(
        DataError,
        match=r"null_time \(1\): \S*ratings_Toys.csv:2; bad_time \(1, .*\): \S*ratings_Toys.csv:3",
    ):
        prepare(path, out=tmp_path / "data")


def test_a_row_with_too_many_fields_is_an_error(put: Put, tmp_path: Path) -> None:
    path = put("ratings_Toys.csv", "A1,B000000001,5.0,1", "A1,B000000002,5.0,1,9")
    with pytest.raises(DataError, match=r"ratings_Toys\.csv:2: has 5 fields, 4 are needed"):
        prepare(path, out=tmp_path / "data")
