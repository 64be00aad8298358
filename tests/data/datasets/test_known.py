from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from solidrec.data.datasets.find import find
from solidrec.data.datasets.known import DATASETS, FORMATS

Put = Callable[..., Path]
FIRST = {
    "u.data": "1\t2\t3\t4",
    "ratings.dat": "1::2::3::4",
    "ratings.csv": "userId,movieId,rating,timestamp",
    ".inter": "user_id:token\titem_id:token",
    ".json": '{"reviewerID": "A", "asin": "B"}',
    "ratings_": "A1,B1,5.0,1",
    ".csv": "0176496920,A2CP8HSNIHPSM5,5.0,1405468800",
    ".tsv": "UserId\tItemId\tRating\tTimestamp",
}


@pytest.mark.parametrize(
    ("name", "file"), [(name, file) for name, entry in DATASETS.items() for file in entry.files]
)
def test_a_set_is_recognised_by_each_of_its_files(
    put: Put, tmp_path: Path, name: str, file: str
) -> None:
    first = next(line for part, line in FIRST.items() if part in file)
    if name.startswith("dtcdr"):
        first = "1\t2\t3"
    path = put(file, first)
    found = find(path.parent)
    assert found.interactions == path
    alias = {
        "paper-book": "douban-book",
        "paper-music": "douban-music",
    }  # the same file: the first that is registered
    assert found.dataset == alias.get(name, name)
    assert find(path, dataset=name).dataset == name


def test_names_of_sets_and_formats_do_not_clash() -> None:
    assert not DATASETS.keys() & FORMATS.keys()
    assert {entry.format for entry in DATASETS.values()} <= FORMATS.keys()


def test_the_papers_counts_of_douban_are_its_sources_counts_and_one() -> None:
    book, music = DATASETS["douban-book"].counts, DATASETS["douban-music"].counts
    assert DATASETS["paper-book"].counts == (
        book.users + 1,
        book.items + 1,
        book.interactions - book.users,
    )
    assert DATASETS["paper-music"].counts == tuple(count + 1 for count in music)


def test_the_papers_counts_are_those_of_its_table(repository: Path) -> None:
    text = repository.parent / "shared" / "design" / "paper.txt"
    if not text.is_file():
        pytest.skip("the paper's text is absent")
    rows = [
        line.split("\t")
        for line in text.read_text(encoding="utf-8").partition("Table 6:")[2].splitlines()[3:11]
    ]
    table = {
        f"paper-{row[0].lower()}": tuple(int(cell.replace(",", "")) for cell in row[1:4])
        for row in rows
    }
    assert table == {
        name: tuple(entry.counts) for name, entry in DATASETS.items() if name.startswith("paper-")
    }
