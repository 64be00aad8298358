from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.ml100k import _GENRES
from solidrec.data.prepare import prepare
from solidrec.errors import DataError

Put = Callable[..., Path]
Read = Callable[..., Any]
EVENT = {"user_id": "1", "item_id": "1193", "rating": "5", "timestamp": "978300760"}
FLAGS = "|".join("1" if genre in ("Animation", "Comedy") else "0" for genre in _GENRES)


@pytest.mark.parametrize("packed", ["", ".gz"])
def test_100k_has_tabs_and_bars(put: Put, tmp_path: Path, packed: str, read: Read) -> None:
    put(
        f"u.item{packed}",
        f"1193|Misérables, Les (1995)|01-Jan-1995||http://us.imdb.com/M/x|{FLAGS}",
        encoding="latin-1",
    )
    put(f"u.data{packed}", "1\t1193\t5\t978300760")
    found = read(tmp_path)
    assert found.interactions.frame.collect().rows(named=True) == [EVENT]
    assert found.items is not None
    assert found.items.frame.collect().rows() == [
        ("1193", "Misérables, Les (1995)", ["Animation", "Comedy"])
    ]
    assert found.dataset == "movielens-100k"


@pytest.mark.parametrize(("folder", "encoding"), [("ml-1m", "latin-1"), ("ml-10M100K", "utf-8")])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_1m_and_10m_have_double_colons(
    put: Put, tmp_path: Path, folder: str, encoding: str, packed: str, read: Read
) -> None:
    titles = [
        "1193::Misérables, Les (1995)::Drama|Musical",
        "2::Mission: Impossible :: 2 (2000)::Action",
        '3::"Lone" (1999)::',
    ]
    put(f"{folder}/movies.dat{packed}", *titles, encoding=encoding)
    put(f"{folder}/ratings.dat{packed}", "1::1193::5::978300760", "1::2::3.5::978300761")
    found = read(tmp_path / folder)
    assert found.interactions.frame.collect().rows(named=True) == [
        EVENT,
        {"user_id": "1", "item_id": "2", "rating": "3.5", "timestamp": "978300761"},
    ]
    assert found.items is not None
    assert found.items.frame.collect().rows() == [
        ("1193", "Misérables, Les (1995)", ["Drama", "Musical"]),
        ("2", "Mission: Impossible :: 2 (2000)", ["Action"]),
        ("3", '"Lone" (1999)', [""]),  # blank labels go when the catalogue is read
    ]
    assert found.dataset == {"ml-1m": "movielens-1m", "ml-10M100K": "movielens-10m"}[folder]


@pytest.mark.parametrize("size", ["20m", "25m", "32m"])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_the_large_ones_are_csv_with_a_header(
    put: Put, tmp_path: Path, size: str, packed: str, read: Read
) -> None:
    rows = [
        '1193,"Misérables, Les ""x"" (1995)",Drama|Musical',
        "2,Plain :: (2000),(no genres listed)",
    ]
    put(f"ml-{size}/movies.csv{packed}", "movieId,title,genres", *rows)
    put(f"ml-{size}/ratings.csv{packed}", "userId,movieId,rating,timestamp", "1,1193,5,978300760")
    put(f"ml-{size}/tags.csv{packed}", "userId,movieId,tag,timestamp", "1,1193,sad,978300760")
    found = read(tmp_path / f"ml-{size}")
    assert found.interactions.frame.collect().rows(named=True) == [EVENT]
    assert found.items is not None
    assert found.items.frame.collect().rows() == [
        ("1193", 'Misérables, Les "x" (1995)', ["Drama", "Musical"]),
        ("2", "Plain :: (2000)", None),
    ]
    assert found.dataset == f"movielens-{size}"


def test_a_folder_of_another_name_is_read_and_is_no_known_set(
    put: Put, tmp_path: Path, read: Read
) -> None:
    put("mine/ratings.csv", "userId,movieId,rating,timestamp", "1,1193,5,978300760")
    assert (read(tmp_path / "mine").dataset, read(tmp_path / "mine").items) == (None, None)
    assert read(tmp_path / "mine", dataset="movielens-25m").dataset == "movielens-25m"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1::2::5", "null_time"),
        ("1::2::5::6::7", "bad_time"),
        ("1::::5::6", "null_item"),
        ("1,2,5,6", "null_item"),
    ],
)
def test_a_broken_row_is_named(put: Put, tmp_path: Path, row: str, says: str) -> None:
    path = put("ml-1m/ratings.dat", "1::1193::5::978300760", row)
    with pytest.raises(DataError, match=rf"{says} \(1.*\): \S*ratings\.dat:2"):
        prepare(path, out=tmp_path / "data")


def test_a_broken_movie_is_named(put: Put, tmp_path: Path) -> None:
    path = put("ratings.dat", *(f"1::{n}::5::{n}" for n in range(5)))
    put("movies.dat", "1::A (1999)::Drama", "2;B (1999);Drama")
    with pytest.raises(DataError, match=r"movies\.dat:2: 1 rows have no item id"):
        prepare(path, out=tmp_path / "data", negatives=0)
