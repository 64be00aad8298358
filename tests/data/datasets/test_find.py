from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solidrec.data.datasets.find import find
from solidrec.data.datasets.known import FORMATS
from solidrec.data.datasets.raw import Files, Format
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.data.readers import read_delimited
from solidrec.errors import SolidrecError, StorageError, UsageError

Put = Callable[..., Path]
Read = Callable[..., Any]
RATING = "A1KLRMWW2FWPL4,0439886341,5.0,1297468800"


def test_a_folder_without_public_files_lists_what_was_looked_for(put: Put, tmp_path: Path) -> None:
    put("clicks.csv", "user,item,timestamp", "a,b,1")
    with pytest.raises(
        StorageError,
        match=r"holds no file .*looked for ratings_<C.*u\.data.*<name>\.inter.*give the",
    ) as caught:
        find(tmp_path)
    assert "\n" not in str(caught.value)
    with pytest.raises(StorageError, match=r"\(looked for u\.data, ratings\.dat, ratings\.csv\)"):
        find(tmp_path, dataset="movielens")


def test_a_folder_with_several_candidates_names_them(put: Put, tmp_path: Path) -> None:
    toys, music = put("ratings_Toys.csv", RATING), put("ratings_CDs_and_Vinyl.csv", RATING)
    with pytest.raises(
        UsageError,
        match=r"ratings_CDs_and_Vinyl\.csv, ratings_Toys\.csv could all be meant; give the",
    ):
        find(tmp_path)
    assert find(toys).interactions == toys
    assert (
        find(tmp_path, dataset="paper-cds").interactions == music
    )  # the name of a data set chooses
    with pytest.raises(UsageError, match="could all be meant"):
        find(tmp_path, dataset="amazon-2014")


def test_an_unknown_name_gets_the_nearest(put: Put) -> None:
    with pytest.raises(
        UsageError,
        match=r"'movielens-1n' is unknown; did you mean 'movielens-1m'\?; `solidrec datasets`",
    ):
        find(put("ratings_Toys.csv", RATING), dataset="movielens-1n")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("clicks.csv", "user,item,timestamp"),
        ("ratings.csv", "user,item,rating,timestamp"),
        ("ratings_mine.csv", "user,item,rating,timestamp"),
        ("Books.csv", "user_id,item_id,timestamp"),
        ("events_5.json", '{"user": "a", "item": "b", "timestamp": 1}'),
        ("events.jsonl", '{"user": "a", "item": "b", "timestamp": 1}'),
        ("log.tsv", "user\titem\ttimestamp"),
    ],
)
def test_a_persons_own_file_stays_their_own(put: Put, name: str, first: str) -> None:
    path = put(name, first)
    found = find(path)
    assert (found.interactions, found.items, found.format, found.dataset) == (
        path,
        None,
        None,
        None,
    )
    assert found.source == name


def test_frames_and_absent_files_are_passed_on(tmp_path: Path) -> None:
    frame = pl.DataFrame({"user": ["a"], "item": ["b"], "timestamp": [1]})
    found = find(frame, items=frame, dataset="paper-scientific")
    assert (found.format, found.dataset, found.source) == (
        None,
        "paper-scientific",
        "DataFrame + DataFrame",
    )
    for name in (None, "amazon-2014", "paper-scientific"):
        with pytest.raises(StorageError, match="no such file"):
            find(tmp_path / "absent.csv", dataset=name).read_interactions()


def test_a_format_can_be_named_for_a_file_that_is_called_otherwise(put: Put) -> None:
    path = put("mine.txt", "0176496920,A2CP8HSNIHPSM5,5.0,1405468800")
    assert find(path).format is None
    found = find(put("mine.csv", "0176496920,B2,5.0,1405468800"), dataset="amazon-2018")
    assert found.read_interactions().frame.collect()["user_id"].to_list() == ["B2"]
    assert found.items is None


def test_other_items_can_be_given(put: Put) -> None:
    path = put("ratings_Toys.csv", RATING)
    beside, other = (
        put("meta_Toys.json", "{'asin': '1'}"),
        put("old/meta_Toys.json.gz", "{'asin': '2'}"),
    )
    own = put("own.csv", "item,title", "3,x")
    assert find(path).items == beside
    frame = pl.DataFrame({"item": ["4"]})
    for other_items, column, item in (
        (other, "item_id", "2"),
        (str(own), "item", "3"),
        (frame, "item", "4"),
    ):
        table = find(path, items=other_items).read_items()
        assert table is not None
        assert table.frame.collect()[column].to_list() == [item]


def test_items_that_are_not_there_are_an_error(put: Put, tmp_path: Path) -> None:
    found = find(put("ratings_Toys.csv", RATING), items=tmp_path / "meta_Toys.json.gz")
    with pytest.raises(StorageError, match=r"meta_Toys\.json\.gz: no such file"):
        found.read_items()


def test_an_empty_file_is_an_error_under_every_format(put: Put, tmp_path: Path) -> None:
    for name in FORMATS:
        for file in ("x.csv", "x.csv.gz", "x.json", "ratings.dat"):
            with pytest.raises(SolidrecError, match=file):
                prepare(put(f"{name}/{file}"), dataset=name, out=tmp_path / "data")


def test_the_name_of_the_set_and_the_form_of_the_file_are_two_things(
    put: Put, tmp_path: Path, read: Read
) -> None:
    put(
        "Scientific.inter",
        "user_id:token\titem_id:token\ttimestamp:float",
        *(f"u\t{n}\t{n}" for n in range(3)),
    )
    found = read(tmp_path, dataset="paper-scientific")
    assert (found.dataset, found.source.split(":")[0]) == (
        "paper-scientific",
        "RecBole atomic files",
    )


def test_features_go_with_items_that_were_found(put: Put, tmp_path: Path) -> None:
    put("raw/ratings.csv", "userId,movieId,rating,timestamp", *(f"1,{n},5,{n}" for n in range(3)))
    put("raw/movies.csv", "movieId,title,genres", *(f"{n},T{n},A|B" for n in range(3)))
    data = prepare(
        tmp_path / "raw", features={"image": np.eye(3)}, out=tmp_path / "data", negatives=0
    )
    assert data.features["image"][1:].tolist() == np.eye(3).tolist()
    assert data.catalog["categories"].to_list() == [["A", "B"]] * 3


Rows = list[tuple[int, int, int, int]]
FIXED = [(1, 1, 5, 1), (1, 2, 5, 2), (1, 3, 5, 3)]  # a user whose last item can be the test
EVENTS = st.lists(
    st.tuples(st.integers(1, 5), st.integers(1, 30), st.integers(1, 5), st.integers(1, 9)),
    max_size=40,
).map(lambda rows: FIXED + rows)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_line_ends_of_windows_change_nothing(
    put: Put, tmp_path: Path, end: str, read: Read
) -> None:
    files = {
        "ratings.dat": ["1::2::3::4", "movies.dat", "2::T::A|B"],
        "u.data": ["1\t2\t3\t4", "u.item", "2|T|||" + "|0|1" + "|0" * 17],
        "ratings.csv": [
            "userId,movieId,rating,timestamp\n1,2,3,4",
            "movies.csv",
            "movieId,title,genres\n2,T,A|B",
        ],
        "ratings_X.csv": [
            "1,2,3,4",
            "meta_X.json",
            "{'asin': '2', 'title': 'T', 'categories': [['A', 'B']]}",
        ],
        "X.jsonl": [
            '{"user_id": "1", "parent_asin": "2", "rating": 3, "timestamp": 4}',
            "meta_X.jsonl",
            '{"parent_asin": "2", "title": "T", "categories": ["A", "B"]}',
        ],
        "x.inter": [
            "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3\t4",
            "x.item",
            "item_id:token\ttitle:token_seq\tclass:token_seq\n2\tT\tA B",
        ],
    }
    for name, (events, beside, items) in files.items():
        folder = tmp_path / name.replace(".", "")
        folder.mkdir()
        (folder / name).write_bytes((events + "\n").replace("\n", end).encode())
        (folder / beside).write_bytes((items + "\n").replace("\n", end).encode())
        found = read(folder)
        assert found.interactions.frame.collect().rows() == [("1", "2", "3", "4")], name
        assert found.items is not None
        row = found.items.frame.collect().row(0, named=True)
        assert (row["item_id"], row["title"]) == ("2", "T")
        assert row["categories"] == (["Action"] if name == "u.data" else ["A", "B"]), name


def written(put: Put, rows: Rows) -> dict[str, Path]:
    """The same events as files of every family; one family's pattern asks for ten-digit items."""
    named = [(f"A{user:013}", f"{item:010}", rating, time) for user, item, rating, time in rows]

    def lines(form: str) -> list[str]:
        return [form.format(u=u, i=i, r=r, t=t) for u, i, r, t in named]

    def records(user: str, item: str, rating: str, time: str) -> list[str]:
        return [json.dumps({rating: float(r), user: u, item: i, time: t}) for u, i, r, t in named]

    old, new = (
        ("reviewerID", "asin", "overall", "unixReviewTime"),
        ("user_id", "parent_asin", "rating", "timestamp"),
    )
    typed = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    return {
        "2014": put("ratings_X.csv", *lines("{u},{i},{r}.0,{t}")),
        "2014 reviews": put("reviews_X_5.json.gz", *records(*old)),
        "2018": put("X.csv.gz", *lines("{i},{u},{r}.0,{t}")),
        "2018 reviews": put("X_5.json", *records(*old)),
        "2023": put("X.jsonl.gz", *records(*new)),
        "2023 benchmark": put("b/X.csv", ",".join(new), *lines("{u},{i},{r}.0,{t}")),
        "recbole": put("x.inter", typed, *lines("{u}\t{i}\t{r}\t{t}.0")),
        "movielens csv": put(
            "m/ratings.csv", "userId,movieId,rating,timestamp", *lines("{u},{i},{r},{t}")
        ),
        "douban": put(
            "douban_x.tsv", "UserId\tItemId\tRating\tTimestamp", *lines("{u}\t{i}\t{r}\t{t}.0")
        ),
    }


def arrays(data: PreparedData) -> dict[str, Any]:
    return {
        path.name: path.read_bytes()
        for path in data.path.iterdir()
        if path.suffix in (".npy", ".parquet")
    }


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
def test_the_same_events_in_every_format_prepare_to_the_same_arrays(
    put: Put, tmp_path: Path, rows: Rows
) -> None:
    options: dict[str, Any] = {
        "out": tmp_path / "data",
        "overwrite": True,
        "negatives": 0,
        "min_rating": 1,
    }
    found = {}
    for name, path in written(put, rows).items():
        assert find(path).format is not None, name
        data = prepare(path, **options)
        found[name] = (data.fingerprint, arrays(data))
    tidy = pl.DataFrame(
        [(f"A{u:013}", f"{i:010}", r, t) for u, i, r, t in rows],
        schema=["user", "item", "rating", "timestamp"],
        orient="row",
    )
    data = prepare(tidy, **options)
    assert {
        name for name, made in found.items() if made != (data.fingerprint, arrays(data))
    } == set()


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVENTS)
def test_double_colons_tabs_and_csv_of_numbers_prepare_to_the_same_arrays(
    put: Put, tmp_path: Path, rows: Rows
) -> None:
    files = [
        put("ratings.dat", *(f"{u}::{i}::{r}::{t}" for u, i, r, t in rows)),
        put("u.data", *(f"{u}\t{i}\t{r}\t{t}" for u, i, r, t in rows)),
        put(
            "ratings.csv",
            "userId,movieId,rating,timestamp",
            *(f"{u},{i},{r},{t}" for u, i, r, t in rows),
        ),
        put("d/ratings.dat", *(f"{u}\t{i}\t{r}\t{t}" for u, i, r, t in rows)),
        put("douban_x.csv", *(f"{u},{i},{r},{t}" for u, i, r, t in rows)),
    ]
    made = [
        prepare(path, out=tmp_path / "data", overwrite=True, negatives=0).fingerprint
        for path in files
    ]
    assert len(set(made)) == 1


def test_a_format_of_another_package_is_recognised(
    put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put("visits.txt", "who|what|when", "a|b|1")
    with pytest.raises(UsageError, match=r"unknown file type '\.txt'"):
        find(path).read_interactions()
    visits = Format(
        "Visits",
        (Files("visits.txt", r"visits\.txt", r"who\|what"),),
        lambda path: read_delimited(path, separator="|", quote=None),
        address="https://example.org",
        terms="free",
    )
    monkeypatch.setitem(FORMATS, "visits", visits)
    found = find(path)
    assert found.source == "Visits: visits.txt; free"
    assert found.read_interactions().columns == ["who", "what", "when"]
    place = "solidrec.data.datasets.douban:FORMAT"
    assert find(path, dataset=place).format is FORMATS["douban"]
    with pytest.raises(UsageError, match="format 'os:system' is no instance of Format"):
        find(path, dataset="os:system")
