from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec.data.datasets.raw import Files, first_line, picture

Put = Callable[..., Path]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("http://ecx.images-amazon.com/images/I/51X.jpg", "51X.jpg"),
        (
            "https://m.media-amazon.com/images/I/81%2BB+L._SL1500_.jpg?x=/y.png#z",
            "81%2BB+L._SL1500_.jpg",
        ),  # nothing is decoded
        ("51X.jpg", "51X.jpg"),
        ("http://site", None),
        ("http://site/a/", None),
        ("", None),
        (None, None),
        ("http://[broken/x.jpg", None),
        ("http://site/a/..", None),  # a name is looked for in a folder: it must not lead out of it
        ("http://site/a\\..\\b", None),
        ("http://site/a\0b", None),
    ],
)
def test_a_picture_is_the_last_part_of_its_address(address: str | None, name: str | None) -> None:
    assert picture(address) == name


def test_the_first_line_is_read_packed_or_not_and_without_what_ends_it(put: Put) -> None:
    for name in ("a.csv", "a.csv.gz"):
        assert first_line(put(name, "\ufeffa,b\r", "c,d")) == "a,b"
    assert first_line(put("empty.csv")) == ""


def test_a_kind_of_file_is_told_by_its_name_and_its_first_line(put: Put) -> None:
    kind = Files("<Category>.csv", r"(\w+)\.csv", r"\d+,", "meta_{}.json")
    books = put("Books.csv", "1,2")
    assert (kind.stem(books), kind.items_of(books)) == ("Books", None)
    packed = put("meta_Books.json.gz", "{}")
    assert kind.items_of(books) == packed
    assert kind.stem(put("Toys.csv", "user,item")) is None
    assert kind.stem(put("Toys.tsv", "1,2")) is None
