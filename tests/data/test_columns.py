from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from solidrec.data.columns import INTERACTIONS, ITEMS, find_columns
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


def test_a_name_with_two_recbole_types_is_refused_unless_one_is_named() -> None:
    with pytest.raises(UsageError, match="user_id:token and user_id:float could both be the user"):
        find("user_id:token", "user_id:float", "item")
    assert find("user_id:token", "user_id:float", "item", user="user_id:float")["user"] == (
        "user_id:float"
    )
    with pytest.raises(UsageError, match="could both be the user"):
        find("user_id:token", "user_id:float", "item", user="user_id")
    # a name without a type is the column of exactly this name
    assert find("user_id", "user_id:float", "item")["user"] == "user_id"


def test_the_first_of_several_names_for_content_wins_but_not_of_several_columns() -> None:
    def found(*columns: str) -> dict[str, str]:
        table = read_table(pl.DataFrame({name: ["x"] for name in columns}))
        return find_columns(table, ITEMS, {}, required=())

    assert found("genres", "categories")["category"] == "categories"
    assert found("name", "title:token")["title"] == "title:token"
    with pytest.raises(UsageError, match="title:token and title:token_seq could both be the title"):
        found("title:token", "title:token_seq")


def test_a_name_twice_in_the_header_is_refused_only_where_it_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("user,item,note,note,timestamp\na,x,1,2,3\n")
    assert find_columns(read_table(path), INTERACTIONS, {}, ("user",))["user"] == "user"
    path.write_text("user,item,timestamp,timestamp\na,x,1,2\n")
    with pytest.raises(UsageError, match=r"'timestamp', the time, occurs more than once"):
        find_columns(read_table(path), INTERACTIONS, {}, ("user",))


def test_one_single_column_asks_for_the_delimiter(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("user item\na x\n")
    with pytest.raises(DataError, match="separated by another --delimiter"):
        find_columns(read_table(tmp_path / "log.csv"), INTERACTIONS, {}, ("user",))
