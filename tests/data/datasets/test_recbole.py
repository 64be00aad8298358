from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.prepare import prepare
from solidrec.errors import DataError

Put = Callable[..., Path]
Read = Callable[..., Any]
INTER = (
    "user_id:token\titem_id:token\trating:float\ttimestamp:float",
    "196\t242\t3\t881250949",
    "196\t302\t3\t881250950.0",
    "196\t9\t1\t881250951",
)


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_sequences_of_tokens_are_split_and_titles_are_not(
    put: Put, tmp_path: Path, packed: str, read: Read
) -> None:
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"
    put(
        f"ml-100k.item{packed}",
        header,
        "242\tToy Story\t1995\tAnimation Children's",
        '302\tLone "quote\t\t',
    )
    put(f"ml-100k.inter{packed}", *INTER)
    found = read(tmp_path)
    assert found.interactions.frame.collect()["timestamp:float"].to_list() == [
        "881250949",
        "881250950.0",
        "881250951",
    ]
    assert found.items is not None
    assert found.items.frame.collect().rows(named=True) == [
        {"item_id": "242", "title": "Toy Story (1995)", "categories": ["Animation", "Children's"]},
        {"item_id": "302", "title": 'Lone "quote', "categories": None},
    ]
    assert found.dataset == "movielens-100k"


def test_a_category_of_one_token_is_one_label(put: Put, tmp_path: Path) -> None:
    put(
        "shop.item",
        "item_id:token\tcategory:token\tbrand:token\tprice:float",
        "242\tTable Lamps\tIkea\t9.5",
    )
    path = put("shop.inter", *INTER)
    data = prepare(path, out=tmp_path / "data", negatives=0)
    row = data.catalog.row(data.items.index("242") - 1, named=True)
    assert (row["categories"], row["brand"], row["title"]) == (["Table Lamps"], "Ikea", None)


def test_without_an_items_file_there_are_ids_alone(put: Put, tmp_path: Path, read: Read) -> None:
    path = put("shop.inter", *INTER)
    assert read(path).items is None
    assert prepare(path, out=tmp_path / "data", negatives=0).manifest["modalities"] == {}


def test_columns_of_other_names_can_still_be_named(put: Put, tmp_path: Path) -> None:
    path = put(
        "visits.inter",
        "session_id:token\titem_id:token\ttimestamp:float",
        "s1\ta\t1",
        "s1\tb\t2",
        "s1\tc\t3",
    )
    assert prepare(
        path, out=tmp_path / "data", user_column="session_id", negatives=0
    ).users.ids == ("s1",)


def test_an_items_file_without_ids_is_named(put: Put, read: Read) -> None:
    put("shop.item", "asin_code:token\ttitle:token_seq", "242\tToy Story")
    with pytest.raises(DataError, match=r"shop\.item: no items_id column"):
        read(put("shop.inter", *INTER))
