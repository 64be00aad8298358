from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.data.prepare import prepare
from solidrec.errors import DataError, UsageError

Put = Callable[..., Path]
Read = Callable[..., Any]
EVENTS = ("user_id", "item_id", "rating", "timestamp")


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("domain", ["book", "music", "movie"])
def test_the_archive_of_dgrec_has_a_header_and_times_with_a_point(
    put: Put, tmp_path: Path, domain: str, packed: str, read: Read
) -> None:
    rows = [f"709669\t{n}\t{-1 if n else 5}\t{1495641600.0 + n}" for n in range(3)]
    path = put(f"{domain}/douban_{domain}.tsv{packed}", "UserId\tItemId\tRating\tTimestamp", *rows)
    found = read(path.parent)
    assert found.interactions.columns == list(EVENTS)
    assert found.dataset == (f"douban-{domain}" if domain != "movie" else None)
    data = prepare(path, out=tmp_path / "data", negatives=0)
    assert data.event_times.tolist() == [1495641600, 1495641601, 1495641602]


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize(("domain", "votes"), [("book", ""), ("music", '\t"useful_num"')])
def test_reviews_have_quoted_fields_and_dates(
    put: Put, tmp_path: Path, domain: str, votes: str, packed: str, read: Read
) -> None:
    more = '\t"3"' if votes else ""
    rows = [
        f'"1398"\t"16"\t"4"\t"小说|历史"\t"好 ""极了"" don\'t"{more}\t"2010-09-14"\t"1"',
        f'"1398"\t"17"\t"5"\t""\t"a\tb"{more}\t"2010-09-14 00:00:01"\t"2"',
        f'"1398"\t"18"\t"5"\t""\t""{more}\t"2010-09-15"\t"3"',
    ]
    header = f'"user_id"\t"{domain}_id"\t"rating"\t"labels"\t"comment"{votes}\t"time"\t"ID"'
    found = read(put(f"{domain}reviews_cleaned.txt{packed}", header, *rows))
    day = 14866 * 86_400  # days from 1970-01-01 to 2010-09-14
    assert found.interactions.frame.select(EVENTS).collect().rows() == [
        ("1398", "16", "4", str(day)),
        ("1398", "17", "5", str(day + 1)),
        ("1398", "18", "5", str(day + 86_400)),
    ]
    assert prepare(tmp_path, out=tmp_path / "data", negatives=0).event_times.tolist() == [
        day,
        day + 1,
        day + 86_400,
    ]


def test_a_date_that_is_none_is_named(put: Put, tmp_path: Path) -> None:
    path = put("bookreviews_cleaned.txt", "user_id\tbook_id\trating\ttime", "1\t2\t3\tsoon")
    with pytest.raises(DataError, match=r"bad_time .*bookreviews_cleaned\.txt:2 'soon'"):
        prepare(path, out=tmp_path / "data")


@pytest.mark.parametrize("separator", ["\t", ","])
@pytest.mark.parametrize("packed", ["", ".gz"])
def test_bare_ratings_have_no_header(put: Put, separator: str, packed: str, read: Read) -> None:
    name = f"douban_book/ratings.dat{packed}" if separator == "\t" else f"douban_book.csv{packed}"
    found = read(put(name, separator.join(["1", "1630", "4", "99"])))
    assert found.interactions.frame.collect().rows(named=True) == [
        dict(zip(EVENTS, ["1", "1630", "4", "99"], strict=True))
    ]


def test_bare_ratings_without_a_time_need_to_be_told_their_order(
    put: Put, tmp_path: Path, read: Read
) -> None:
    path = put("douban_book/ratings.dat", "1\t1630\t4", "1\t1181\t4", "1\t6061\t5")
    assert read(path.parent).dataset == "dtcdr-book"
    with pytest.raises(UsageError, match=r"no time column .*--order file"):
        prepare(path.parent, out=tmp_path / "data")
    data = prepare(path.parent, out=tmp_path / "data", order="file", negatives=0)
    assert [data.items.id(item) for item in data.event_items.tolist()] == ["1630", "1181", "6061"]


def test_ratings_of_movielens_are_not_taken_for_douban(put: Put, read: Read) -> None:
    assert read(put("ratings.dat", "1::2::3::4")).source.startswith("MovieLens")
    assert read(put("other/ratings.dat", "1\t2\t3")).source.startswith("Douban")
