from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.data.catalog import bare_catalog, read_catalog, renewed
from solidrec.data.readers import read_table
from solidrec.errors import DataError

ITEMS = pl.Series("item", ["a", "b", "c"])


def catalog(frame: pl.DataFrame, items: pl.Series = ITEMS, **options: Any) -> Catalog:
    return read_catalog(read_table(frame), items, columns={}, **options)


def test_the_catalogue_has_one_row_for_each_item_in_item_order() -> None:
    found = catalog(
        pl.DataFrame(
            {
                "item_id": ["c", "x", "a"],
                "name": ["C", "X", " "],
                "brand": ["q", None, "r"],
                "text_tokens": [[1], [2], [3]],
            }
        )
    )
    assert found.frame.columns == [
        "item",
        "title",
        "categories",
        "brand",
        "text",
        "description",
        "image",
        "text_tokens",
    ]
    assert found.frame.rows() == [
        ("a", None, [], "r", None, None, None, [3]),
        ("b", None, [], None, None, None, None, None),
        ("c", "C", [], "q", None, None, None, [1]),
    ]
    assert found.facts == {
        "rows": 3,
        "catalog_only": 1,
        "without_catalog_row": 1,
        "duplicate_items": 0,
    }


def test_a_log_without_items_file_has_a_bare_catalogue() -> None:
    found = bare_catalog(ITEMS).frame
    assert found["item"].to_list() == ["a", "b", "c"]
    assert found["categories"].to_list() == [[], [], []]
    assert found.columns == catalog(pl.DataFrame({"item": ["a"]})).frame.columns


def test_repeated_and_missing_item_ids_name_their_row() -> None:
    twice = pl.DataFrame({"item": ["a", "b", "a"], "title": ["first", "x", "second"]})
    with pytest.raises(DataError, match="DataFrame:3: item 'a' occurs again"):
        catalog(twice)
    found = catalog(twice, duplicate_items="first")
    assert found.frame["title"].to_list() == ["first", "x", None]
    assert found.facts["duplicate_items"] == 1
    with pytest.raises(DataError, match="DataFrame:2: 1 rows have no item id"):
        catalog(pl.DataFrame({"item": ["a", " "]}))


def test_a_number_of_a_feature_row_is_whole() -> None:
    def index(*numbers: Any) -> list[Any]:
        frame = pl.DataFrame({"item": ["a", "b"], "item_idx": numbers})
        found = read_catalog(read_table(frame), pl.Series(["a", "b"]), columns={}).index
        assert found is not None
        return found.to_list()

    assert index(4, 5) == index(4.0, 5.0) == index("4", "5") == [4, 5]
    assert index(4.0, None) == index(4.0, float("nan")) == [4, None]
    for bad in (4.7, "4.7", "x", float("inf")):
        good = "1" if isinstance(bad, str) else 1.0
        with pytest.raises(DataError, match=r"DataFrame:2: item_idx .* is not a whole number"):
            index(good, bad)


def test_columns_that_nothing_reads_are_named() -> None:
    frame = pl.DataFrame(
        {
            "item": ["a"],
            "title": ["t"],
            "name": ["n"],
            "price": [1],
            "x_tokens": [[1]],
            "v": [[2.0]],
        }
    )
    assert catalog(frame, ITEMS.head(1)).notes == (
        "DataFrame: training does not read the columns name, price; they are kept for filters",
        "DataFrame: nothing reads the columns v",
    )
    assert catalog(frame.drop("name", "price"), ITEMS.head(1), also_read=["v"]).notes == ()
    pictures = pl.DataFrame({"item": ["a"], "image": [b"\xff\xd8"]})  # bytes name no file
    assert catalog(pictures, ITEMS.head(1)).notes == ("DataFrame: nothing reads the columns image",)
    wide = pl.DataFrame({"item": ["a"], **{f"c{number}": [1] for number in range(13)}})
    assert "c8, c9 and 3 more; they" in catalog(wide, ITEMS.head(1)).notes[0]


def test_notes_name_files_without_their_folder(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("item,price\na,1\n")
    notes = read_catalog(read_table(tmp_path / "items.csv"), ITEMS, columns={}).notes
    assert [note.partition(":")[0] for note in notes] == ["items.csv", "items.csv"]


def test_items_without_a_row_are_noted_and_none_with_one_is_an_error() -> None:
    assert catalog(pl.DataFrame({"item": ["a", "x"]})).notes == (
        "DataFrame: 2 of 3 items of the log have no row; the log has 'b', the file 'x'",
    )
    assert bare_catalog(ITEMS).notes == ()
    assert "written_otherwise" not in catalog(pl.DataFrame({"item": ["a", "x"]})).facts
    assert catalog(pl.DataFrame({"item": ["a", "b", "C"]})).facts["written_otherwise"] == 1
    with pytest.raises(DataError, match="DataFrame: no item of the log has a row in it"):
        catalog(pl.DataFrame({"item": ["x", "y"]}))


@pytest.mark.parametrize("values", [[0, 4.7], ["0", "4.7"], ["0", "x"]])
def test_an_item_idx_that_is_no_whole_number_names_its_row(values: list[Any]) -> None:
    frame = pl.DataFrame({"item": ["a", "b"], "item_idx": pl.Series(values, strict=False)})
    with pytest.raises(DataError, match=r"DataFrame:2: item_idx .* is not a whole number"):
        catalog(frame)
    whole = frame.with_columns(item_idx=pl.Series(["007", "8"]))
    assert catalog(whole).index.to_list() == [7, 8]  # type: ignore[union-attr]
    assert catalog(whole.with_columns(item_idx=pl.Series([1.0, 2.0]))).index.to_list() == [1, 2]  # type: ignore[union-attr]


def test_a_newer_catalogue_renews_the_values_of_the_items_that_it_lists() -> None:
    kept = pl.DataFrame({"price": [1, 2, 3], "maker": ["x", "y", "z"], "old": [7, 8, 9]})
    table = read_table(
        pl.DataFrame({"item": ["a", "c", "d"], "price": [1.5, 3.5, 9.0], "maker": [1, 2, 3]})
    )
    newer = read_catalog(table, pl.Series("item", ["a", "b", "c", "d"]), columns={})
    found = renewed(kept, newer)
    assert found is not None
    assert found.to_dict(as_series=False) == {
        "price": [1.5, 2.0, 3.5],
        "maker": ["x", "y", "z"],  # numbers are no texts
        "old": [7, 8, 9],
    }
    assert renewed(None, newer) is None
    assert renewed(kept, bare_catalog(pl.Series(["a", "b", "c"]))) is kept
    last = newer.behind(3)
    assert last.frame["item"].to_list() == ["d"]
    assert last.rows.tolist() == [2]
    assert last.attributes is not None
    assert last.attributes["price"].to_list() == [9.0]
