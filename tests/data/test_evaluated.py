"""A user who touched nearly everything is not evaluated; all others keep their negatives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.errors import DataError

ITEMS = 30


def log(touched: dict[str, int]) -> pl.DataFrame:
    """Users who touched the first so many of `ITEMS` items, shifted; one touched them all."""
    rows = [
        (user, f"i{(place + 3 * number) % ITEMS:02}", place)
        for number, (user, count) in enumerate(touched.items())
        for place in range(count)
    ]
    return pl.DataFrame(rows, schema=["user", "item", "timestamp"], orient="row")


OTHERS = {f"u{number}": 5 + number % 3 for number in range(12)}


def made(folder: Path, name: str, touched: dict[str, int], **options: Any) -> PreparedData:
    return prepare(log(touched), out=folder / name, **options)


@pytest.mark.parametrize("left", [0, 2])
def test_one_who_touched_nearly_everything_is_named_and_left_out(tmp_path: Path, left: int) -> None:
    data = made(tmp_path, "data", OTHERS | {"hoarder": ITEMS - left})
    assert data.manifest["negatives"]["test"] == ITEMS - 7
    assert data.manifest["negatives"]["valid"] == ITEMS - 7
    assert data.manifest["split_facts"]["users_without_negatives"] == {"valid": 1, "test": 1}
    for part in ("valid", "test"):
        rows = data.rows(part)  # type: ignore[arg-type]
        assert sorted(data.users.id(int(user)) for user in rows.users) == sorted(OTHERS)
    assert data.manifest["notes"] == [
        f"valid and test: {ITEMS - 7} negatives a target, not 99: user 'u11' has touched all other "
        "items",
        "valid and test: not evaluated, for want of items that they have not touched: users "
        "'hoarder'",
    ]


def test_what_others_are_measured_on_is_as_without_that_user(tmp_path: Path) -> None:
    """Their negatives too, since these depend on the count and on their own id alone."""
    with_one = made(tmp_path, "one", OTHERS | {"hoarder": ITEMS}, negatives=9)
    without = made(tmp_path, "none", OTHERS | {"u12": 3, "u13": 3, "u14": 3}, negatives=9)
    for part in ("valid", "test"):
        one, other = with_one.rows(part), without.rows(part)  # type: ignore[arg-type]
        named = [
            {
                data.users.id(int(user)): [data.items.id(int(item)) for item in candidates]
                for user, candidates in zip(rows.users, rows.candidates(0, len(rows)), strict=True)
            }
            for data, rows in ((with_one, one), (without, other))
        ]
        assert len(without.items) == len(with_one.items) == ITEMS
        assert named[0] == {user: row for user, row in named[1].items() if user in OTHERS}


def test_fewer_negatives_name_the_user_who_needs_them(tmp_path: Path) -> None:
    """Nobody stands out: all have 23 to 25 items left, so 23 are kept, as ever."""
    data = made(tmp_path, "data", OTHERS)
    items = len(data.items)
    assert data.manifest["negatives"]["test"] == items - 7
    assert "users_without_negatives" not in data.manifest["split_facts"]
    assert (
        f"valid and test: {items - 7} negatives a target, not 99: user 'u11' has touched all other "
        "items" in data.manifest["notes"]
    )
    enough = made(tmp_path, "enough", OTHERS, negatives=5)
    assert enough.manifest["notes"] == []
    assert enough.manifest["negatives"]["test"] == 5


@pytest.mark.parametrize(
    ("more", "fingerprint"),
    [
        ({}, "cc33ef1961ae1d0d01331f81c38f2d4a1b7b52578568c714774ba36e5722d3e2"),
        ({"much": 18}, "bc4055ac4e452c32c012cb9c18392ef9caf276d64becc39dcd56465728300949"),
    ],
)
def test_data_without_such_a_user_is_what_earlier_versions_made(
    tmp_path: Path, more: dict[str, int], fingerprint: str
) -> None:
    """One with half as many items left as most, 12 of 24, is no such user."""
    assert made(tmp_path, "data", OTHERS | more).fingerprint == fingerprint


def test_where_most_users_touched_everything_nobody_is_left_to_evaluate(tmp_path: Path) -> None:
    few = dict.fromkeys(("a", "b", "c"), ITEMS) | {"d": 5}
    with pytest.raises(DataError, match="'a' touched all 30 items, as did most who have a valid"):
        made(tmp_path, "data", few)
    assert len(made(tmp_path, "none", few, negatives=0).rows("test")) == 4
