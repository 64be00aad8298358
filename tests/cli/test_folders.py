from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from solidrec.cli.folders import named_files
from solidrec.cli.folders import prepare as prepare_command
from solidrec.data.prepare_spec import PrepareSpec
from solidrec.data.prepared import PreparedData
from solidrec.errors import UsageError

Solidrec = Callable[..., Any]
Walk = Callable[..., tuple[pl.DataFrame, pl.DataFrame]]


@pytest.fixture
def files(walk: Walk, tmp_path: Path) -> Path:
    """A folder with log.csv, items.jsonl and vectors.npy."""
    log, items = walk(users=30)
    log.write_csv(tmp_path / "log.csv")
    items.write_ndjson(tmp_path / "items.jsonl")
    np.save(tmp_path / "vectors.npy", np.random.default_rng(0).random((40, 3), dtype=np.float32))
    return tmp_path


def test_prepare_accounts_for_every_row(solidrec: Solidrec, files: Path) -> None:
    out = files / "data"
    answer = solidrec(
        "prepare",
        files / "log.csv",
        "--items",
        files / "items.jsonl",
        "--features",
        f"vec={files / 'vectors.npy'}",
        "--out",
        out,
    )
    assert (answer.code, answer.out) == (0, "")
    assert "users 30 · items 40 · interactions 270" in answer.err
    assert "rows in 270 = kept 270" in answer.err
    assert f"next: solidrec train {out} --out run" in answer.err
    data = PreparedData.open(out)
    assert (set(data.features), data.manifest["split"]) == ({"vec"}, "leave-one-out")


def test_prepare_says_what_becomes_of_items_that_nobody_has_clicked(
    solidrec: Solidrec, files: Path
) -> None:
    pl.concat(
        [pl.read_ndjson(files / "items.jsonl").select("item"), pl.DataFrame({"item": ["x", "y"]})]
    ).write_csv(files / "all.csv")
    answer = solidrec(
        "prepare", files / "log.csv", "--items", files / "all.csv", "--out", files / "data"
    )
    assert (
        "2 items of the items file have no interaction: "
        "after training, `solidrec items add RUN ITEMS`" in answer.err
    )


def test_prepare_prints_its_manifest_as_pure_json(solidrec: Solidrec, files: Path) -> None:
    refused = solidrec(
        "prepare", files / "log.csv", "--out", files / "data", "--fit-all", "--split", "time"
    )
    assert (refused.code, "give one of them" in refused.err) == (2, True)
    said = solidrec("prepare", files / "log.csv", "--out", files / "all", "--fit-all").err
    assert f"next: solidrec train {files / 'all'} --epochs-from RUN --out run" in said
    answer = solidrec(
        "prepare", files / "log.csv", "--out", files / "data", "--fit-all", "--seed", 3, "--json"
    )
    manifest = json.loads(answer.out)
    assert {key: manifest[key] for key in ("users", "items", "interactions", "split")} == {
        "users": 30,
        "items": 40,
        "interactions": 270,
        "split": "none",
    }


def test_options_reach_prepare(solidrec: Solidrec, files: Path) -> None:
    frame = pl.read_csv(files / "log.csv").rename(
        {"user": "visitor", "item": "page", "position": "when"}
    )
    frame.with_columns(stars=pl.int_range(pl.len()) % 5 + 1).write_csv(
        files / "other.tsv", separator="\t"
    )
    columns = [
        "--user-column",
        "visitor",
        "--item-column",
        "page",
        "--time-column",
        "when",
        "--rating-column",
        "stars",
    ]
    rules = [
        "--min-rating",
        2,
        "--negatives",
        7,
        "--seed",
        5,
        "--ties",
        "item",
        "--split",
        "time",
        "--test-fraction",
        0.2,
    ]
    answer = solidrec(
        "prepare", files / "other.tsv", *columns, *rules, "--out", files / "data", "--json"
    )
    assert answer.code == 0, answer.err
    manifest = json.loads(answer.out)
    assert (
        manifest["rows"]["dropped"] == {"below_min_rating": 54}
        or sum(manifest["rows"]["dropped"].values()) == 270 // 5
    )
    assert (manifest["options"]["ties"], manifest["split"]) == ("item", "time")
    assert (manifest["negatives"]["test"], manifest["negatives"]["seed"]) == (7, 5)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("user,position\na,1\n", "item"),
        ("user,item,timestamp\na,x,yesterday\na,y,2\na,z,3\n", "yesterday"),
        ("", "empty"),
        ("user,item,timestamp\n", "log.csv"),
        ('user,item,timestamp\na,"x,1\n', "log.csv"),
    ],
)
def test_bad_files_are_one_line_and_exit_code_65(
    solidrec: Solidrec, tmp_path: Path, content: str, text: str
) -> None:
    (tmp_path / "log.csv").write_text(content)
    answer = solidrec("prepare", tmp_path / "log.csv", "--out", tmp_path / "data")
    assert (answer.code, answer.out) == (65, "")
    last = answer.err.splitlines()[-1]
    assert last.startswith("error: ")
    assert text in last
    assert "a fault of solidrec" not in last
    assert not (tmp_path / "data").exists()


def test_an_existing_folder_is_replaced_only_when_asked(solidrec: Solidrec, files: Path) -> None:
    command = ["prepare", files / "log.csv", "--out", files / "data"]
    assert solidrec(*command).code == 0
    assert solidrec(*command).code == 74
    assert solidrec(*command, "--overwrite").code == 0


def test_feature_files_are_named() -> None:
    assert named_files(["a=b.npy", "c=d=e.npy"]) == {"a": Path("b.npy"), "c": Path("d=e.npy")}
    for wrong in ("b.npy", "=b.npy", "a="):
        with pytest.raises(UsageError, match=r"NAME=FILE.npy"):
            named_files([wrong])


def test_settings_of_a_file_reach_prepare_and_what_is_named_counts_more(
    solidrec: Solidrec, files: Path
) -> None:
    (files / "how.toml").write_text('ties = "item"\nnegatives = 2\nseed = 7\n')
    given = ("--config", files / "how.toml", "--set", "seed=8", "--negatives", 3)
    answer = solidrec("prepare", files / "log.csv", *given, "--out", files / "data", "--json")
    options = json.loads(answer.out)["options"]
    assert (options["ties"], options["seed"], options["negatives"]) == ("item", 8, 3)
    wrong = solidrec("prepare", files / "log.csv", "--set", "tie=item", "--out", files / "other")
    assert (wrong.code, "unknown setting 'tie'; did you mean 'ties'?" in wrong.err) == (2, True)


def test_every_setting_of_prepare_has_an_option() -> None:
    names = set(inspect.signature(prepare_command).parameters)
    assert set(PrepareSpec.model_fields) <= names


def test_several_files_a_pattern_and_a_delimiter_are_one_log(
    solidrec: Solidrec, files: Path
) -> None:
    log = pl.read_csv(files / "log.csv", infer_schema=False)
    log.head(100).write_csv(files / "part-1.csv", separator=";")
    log.tail(-100).write_csv(files / "part-2.csv", separator=";")
    parts = (files / "part-1.csv", files / "part-2.csv")
    fingerprints = set()
    for number, given in enumerate(
        [(files / "log.csv",), parts, (files / "part-?.csv",), (*parts, "--delimiter", ";")]
    ):
        out = files / f"data{number}"
        answer = solidrec("prepare", *given, "--out", out)
        assert answer.code == 0
        fingerprints.add(PreparedData.open(out).fingerprint)
        assert ("separated by ';'" in answer.err) == (number in (1, 2))
    assert len(fingerprints) == 1


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        (("log.csv", "--encoding", "punycode"), 2, "unknown encoding 'punycode'"),
        (("log.csv", "--delimiter", "::"), 2, "--delimiter '::' is not one character"),
        (("log.csv", "--time-format", "%H:%M"), 2, "--time-format '%H:%M' does not read a full"),
        (("none-*.csv",), 74, "no file fits it as a pattern"),
        (("x" * 5000,), 74, "File name too long"),
        (("log.csv", "log.csv", "--split-column", "part"), 65, "no split column"),
    ],
)
def test_what_cannot_be_read_is_one_line(
    solidrec: Solidrec, files: Path, given: tuple[str, ...], code: int, says: str
) -> None:
    first = [each for each in given if each.endswith("csv")]
    answer = solidrec(
        "prepare",
        *[files / each if each in first else each for each in given],
        "--out",
        files / "data",
    )
    assert answer.code == code
    assert says in answer.err
    assert answer.err.strip().count("\n") <= 1  # progress, then the error
    assert not (files / "data").exists()
