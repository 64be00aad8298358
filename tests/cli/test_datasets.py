from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from solidrec.data.datasets.known import DATASETS, FORMATS

Solidrec = Callable[..., Any]


def test_datasets_are_listed(solidrec: Solidrec) -> None:
    answer = solidrec("datasets")
    assert answer.code == 0
    shown = (
        "8,442",
        "4,385",
        "59,427",
        "SOLID, Table 6",
        "ml-1m/ratings.dat",
        "+ meta_<Category>.json",
        "cite",
    )
    addresses = [address for entry in FORMATS.values() for address in entry.address.split()]
    assert [
        words for words in (*DATASETS, *FORMATS, *addresses, *shown) if words not in answer.out
    ] == []


def test_datasets_as_json(solidrec: Solidrec) -> None:
    facts = json.loads(solidrec("datasets", "--json").out)
    assert [entry["name"] for entry in facts["datasets"]] == list(DATASETS)
    assert [entry["name"] for entry in facts["formats"]] == list(FORMATS)
    assert facts["datasets"][0]["counts"] == {"users": 943, "items": 1682, "interactions": 100_000}


def test_a_folder_of_public_files_is_one_command(solidrec: Solidrec, tmp_path: Path) -> None:
    folder = tmp_path / "ml-1m"
    folder.mkdir()
    (folder / "ratings.dat").write_text(
        "".join(f"{u}::{i}::5::{u + i}\n" for u in range(1, 4) for i in range(1, 6))
    )
    (folder / "movies.dat").write_bytes(
        "1::Misérables, Les (1995)::Drama|Musical\n".encode("latin-1")
    )
    answer = solidrec("prepare", folder, "--negatives", 0, "--out", tmp_path / "data")
    assert answer.code == 0, answer.err
    assert "source: MovieLens: ratings.dat + movies.dat; research use" in answer.err
    assert "published as movielens-1m (GroupLens, rated items) with 6,040 users" in answer.err
    assert (
        "this copy has 6,037 fewer users, 3,701 fewer items, 1,000,194 fewer interactions: "
        "numbers of a paper" in answer.err
    )
    assert "title (1 items)" in answer.err


def test_tidy_files_are_compared_by_name(solidrec: Solidrec, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(
        "user,item,timestamp\n" + "".join(f"a,{n},{n}\n" for n in range(4))
    )
    command = [
        "prepare",
        tmp_path / "log.csv",
        "--negatives",
        0,
        "--out",
        tmp_path / "data",
        "--json",
    ]
    facts = json.loads(solidrec(*command, "--dataset", "paper-scientific").out)["published"]
    assert (facts["dataset"], facts["differences"]["users"]) == ("paper-scientific", 1 - 8442)
    assert json.loads(solidrec(*command, "--overwrite").out)["published"] is None


def test_what_cannot_be_recognised_is_one_line(solidrec: Solidrec, tmp_path: Path) -> None:
    answer = solidrec("prepare", tmp_path, "--out", tmp_path / "data")
    assert (answer.code, answer.out) == (74, "")
    assert "holds no file of a known data set (looked for" in answer.err
    answer = solidrec(
        "prepare", tmp_path, "--dataset", "paper-scientifc", "--out", tmp_path / "data"
    )
    assert answer.code == 2
    assert "did you mean 'paper-scientific'?" in answer.err
