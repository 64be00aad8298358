"""A log that says itself what is for training, validation and tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec import prepare
from solidrec.errors import DataError, UsageError

PARTS = ["train", "train", "Valid ", "TEST"]


def log(parts: list[Any], users: int = 3) -> pl.DataFrame:
    rows = [
        (f"u{user}", f"i{user + k}", 10 * k, part)
        for user in range(users)
        for k, part in enumerate(parts)
    ]
    return pl.DataFrame(rows, schema=["user", "item", "timestamp", "part"], orient="row")


def test_the_split_is_that_of_the_column(tmp_path: Path) -> None:
    frame = log(PARTS).sample(fraction=1, shuffle=True, seed=1)
    data = prepare(frame, out=tmp_path / "given", split_column="part", negatives=1)
    same = prepare(frame, out=tmp_path / "last", negatives=1)
    assert data.manifest["split"] == "given"
    assert data.fingerprint == same.fingerprint  # the last two events of every user


def test_equal_times_are_in_the_order_of_the_parts(tmp_path: Path) -> None:
    frame = log(PARTS).with_columns(timestamp=pl.lit(5)).reverse()
    data = prepare(frame, out=tmp_path / "data", split_column="part", negatives=1)
    assert data.items.id(int(data.event_items[3])) == "i3"  # the test event of u0


@pytest.mark.parametrize("rules", [{"k_core": 2}, {"min_rating": 3.0}, {"duplicates": "drop"}])
def test_rows_that_are_dropped_take_their_part_along(rules: dict[str, Any], tmp_path: Path) -> None:
    frame = log(["train", "train", "train", "valid", "test"], users=4)
    frame = frame.with_columns(rating=pl.lit(5.0))
    extra = frame.head(1).with_columns(
        user=pl.lit("u0" if "duplicates" in rules else "once"), rating=pl.lit(1.0)
    )
    first = frame.filter(pl.col("item") == "i0")["item"].len()  # i0 occurs once: k-core drops it
    data = prepare(
        pl.concat([extra, frame]), out=tmp_path / "data", split_column="part", negatives=1, **rules
    )
    assert first == 1
    tests = [data.items.id(int(data.event_items[at])) for at in data.rows("test").positions]
    assert tests == ["i4", "i5", "i6"] + (["i7"] if "k_core" not in rules else [])


def test_a_part_that_is_none_is_a_bad_row(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"bad_split \(3, neither train.*DataFrame:4 'holdout'"):
        prepare(log([*PARTS[:3], "holdout"]), out=tmp_path / "data", split_column="part")
    with pytest.raises(DataError, match=r"bad_split \(3, .*DataFrame:4 'None'"):
        prepare(log([*PARTS[:3], None]), out=tmp_path / "data", split_column="part")


def test_there_is_one_split(tmp_path: Path) -> None:
    for split in ("time", "none"):
        with pytest.raises(UsageError, match="--split-column part is one split, --split"):
            prepare(log(PARTS), out=tmp_path / "data", split_column="part", split=split)
    with pytest.raises(DataError, match=r"no split column \(looked for prt"):
        prepare(log(PARTS), out=tmp_path / "data", split_column="prt")


def test_training_after_a_test_names_the_user(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="user 'u0' has an event of an earlier part"):
        prepare(log(PARTS[::-1]), out=tmp_path / "data", split_column="part")
