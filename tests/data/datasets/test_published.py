from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from solidrec.data.datasets.known import DATASETS
from solidrec.data.datasets.published import _WHY, Counts, Dataset, compare, sentence
from solidrec.data.prepare import prepare

TINY = Dataset(
    "recbole", ("x.inter",), Counts(2, 3, 6), "a paper", "https://site.org", "it says so"
)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DATASETS, "tiny", TINY)


def log(users: int = 2, items: int = 3) -> pl.DataFrame:
    rows = [(f"u{u}", f"i{i}", i) for u in range(users) for i in range(items)]
    return pl.DataFrame(rows, schema=["user", "item", "timestamp"], orient="row")


def test_the_same_counts_are_said_to_be_the_same(known: None, tmp_path: Path) -> None:
    facts = prepare(log(), dataset="tiny", out=tmp_path / "data", negatives=0).manifest["published"]
    assert facts == {
        "dataset": "tiny",
        "by": "a paper",
        "counts": {"users": 2, "items": 3, "interactions": 6},
        "differences": {"users": 0, "items": 0, "interactions": 0},
        "same": True,
        "note": "it says so",
    }
    assert (
        sentence(facts) == "published as tiny (a paper) with 2 users, 3 items, 6 interactions: "
        "this copy has the same counts"
    )


def test_what_differs_is_said_with_how_much_and_why_it_matters(known: None, tmp_path: Path) -> None:
    facts = prepare(log(1, 4), dataset="tiny", out=tmp_path / "data", negatives=0).manifest[
        "published"
    ]
    assert (facts["differences"], facts["same"]) == (
        {"users": 1 - 2, "items": 4 - 3, "interactions": 1 * 4 - 6},
        False,
    )
    said = sentence(facts)
    assert (
        ": this copy has 1 fewer users, 1 more items, 2 fewer interactions: "
        "numbers of a paper compare only on" in said
    )
    assert said.endswith(f"{_WHY} (it says so)")
    assert "\n" not in said


def test_counts_are_those_after_cleaning(known: None, tmp_path: Path) -> None:
    more = pl.concat(
        [log(), log().head(1), pl.DataFrame({"user": ["v"], "item": ["i0"], "timestamp": [9]})]
    )
    data = prepare(more, dataset="tiny", k_core=2, out=tmp_path / "data", negatives=0)
    assert data.manifest["published"]["same"]


def test_without_a_name_nothing_is_compared(tmp_path: Path) -> None:
    assert prepare(log(), out=tmp_path / "data", negatives=0).manifest["published"] is None


def test_every_other_count_is_a_note_and_no_error(tmp_path: Path) -> None:
    for name in DATASETS:
        facts = prepare(log(), dataset=name, out=tmp_path / name, negatives=0).manifest["published"]
        assert facts["same"] is False
        assert facts == compare(name, DATASETS[name], Counts(2, 3, 6))


@pytest.mark.parametrize(
    ("folder", "name", "options"),
    [
        ("scientific", "paper-scientific", {}),
        ("beauty", "amazon-2014-beauty", {}),
        ("office14", "amazon-2014-office", {}),
        ("douban_book", "dtcdr-book", {}),
        ("douban_music", "dtcdr-music", {}),
    ],
)
def test_shared_sets_have_the_published_counts(
    shared_data: Callable[[str], Path],
    tmp_path: Path,
    folder: str,
    name: str,
    options: dict[str, object],
) -> None:
    path = shared_data(folder)
    data = prepare(
        path / "interactions.parquet",
        items=path / "items.parquet",
        dataset=name,
        out=tmp_path / "data",
    )
    assert data.manifest["published"]["same"], data.manifest["published"]


def test_another_copy_of_instruments_differs(
    shared_data: Callable[[str], Path], tmp_path: Path
) -> None:
    data = prepare(
        shared_data("instruments") / "interactions.parquet",
        dataset="paper-instruments",
        out=tmp_path / "data",
    )
    expected = {"users": 24_772 - 24_962, "items": 9_922 - 9_964, "interactions": 206_153 - 208_926}
    assert data.manifest["published"]["differences"] == expected
