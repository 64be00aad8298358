from __future__ import annotations

import polars as pl
import pytest

from solidrec.data.columns import INTERACTIONS, find_columns
from solidrec.data.readers import read_table
from solidrec.errors import DataError, UsageError


def find(*columns: str, **given: str) -> dict[str, str]:
    table = read_table(pl.DataFrame({name: ["x"] for name in columns}))
    return find_columns(table, INTERACTIONS, given, required=("user", "item"))


@pytest.mark.parametrize("role", INTERACTIONS)
def test_every_recognised_name_is_found_in_any_column_order(role: str) -> None:
    for name in INTERACTIONS[role]:
        others = {"user": "user_id", "item": "item_id"} | {role: name}
        assert find("split", *reversed(others.values())) == others


def test_recbole_headers_lose_their_type() -> None:
    assert find("user_id:token", "item_id:token", "timestamp:float") == {
        "user": "user_id:token",
        "item": "item_id:token",
        "time": "timestamp:float",
    }


def test_a_named_column_wins() -> None:
    assert find("user", "who", "item", user="who") == {"user": "who", "item": "item"}


def test_d2_everything_missing_is_one_error_with_the_nearest_names() -> None:
    with pytest.raises(DataError) as caught:
        find("usr_id", "product", "when", time="wen")
    said = str(caught.value)
    for part in (
        "DataFrame: no user column",
        "did you mean 'usr_id'?",
        "name it with --user-column NAME",
        "no item column",
        "--item-column NAME",
        "no time column (looked for wen, did you mean 'when'?",
        "(columns found: usr_id, product, when)",
    ):
        assert part in said


def test_two_columns_that_could_be_meant_are_refused() -> None:
    with pytest.raises(
        UsageError,
        match="asin and parent_asin could both be the item; say which with --item-column",
    ):
        find("user", "asin", "parent_asin")
