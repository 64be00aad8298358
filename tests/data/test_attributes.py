"""Columns that training does not read: their values are kept, and nothing else depends on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.data.attributes import typed
from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData

LOG = pl.DataFrame(
    [(f"u{u}", f"i{(3 * u + n) % 9}", n) for u in range(6) for n in range(5)],
    schema=["user", "item", "timestamp"],
    orient="row",
)
ITEMS = pl.DataFrame(
    {
        "item": [f"i{n}" for n in range(9)],
        "title": [f"t{n}" for n in range(9)],
        "price": ["1", "2.5", "", *("3",) * 6],
    }
)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", " -2 ", ""], [1, -2, None]),
        (["1", "2.5", ".5", "1e3", None], [1.0, 2.5, 0.5, 1000.0, None]),
        (["007", "1"], ["007", "1"]),
        (["1", "x"], ["1", "x"]),
        (["true", "False", " "], [True, False, None]),
        (["", None], [None, None]),
        (["9" * 18, "1"], [int("9" * 18), 1]),
        (["9" * 30, "1"], [1e30, 1.0]),
        (["1e999"], ["1e999"]),
        (["nan", "inf"], ["nan", "inf"]),
        (["."], ["."]),
    ],
)
def test_texts_are_the_values_that_they_write(texts: list[str | None], values: list[Any]) -> None:
    found = typed(pl.Series("v", texts, dtype=pl.String))
    assert found.to_list() == values
    assert found.name == "v"
    assert [type(one) for one in found.to_list()] == [type(one) for one in values]


def test_nan_is_no_value_and_categories_are_texts() -> None:
    assert typed(pl.Series([1.0, float("nan")])).to_list() == [1.0, None]
    assert typed(pl.Series(["a", "b"], dtype=pl.Categorical)).to_list() == ["a", "b"]


def test_a_prepared_folder_keeps_them_and_its_fingerprint(tmp_path: Path) -> None:
    bare = prepare(LOG, items=ITEMS.drop("price"), out=tmp_path / "bare", negatives=2)
    kept = prepare(LOG, items=ITEMS, out=tmp_path / "kept", negatives=2)
    assert kept.fingerprint == bare.fingerprint
    assert kept.attributes is not None
    assert kept.attributes["price"].to_list() == [1.0, 2.5, None, *(3.0,) * 6]
    assert bare.attributes is None
    assert not (tmp_path / "bare" / "attributes.parquet").exists()
    assert "attributes" not in bare.manifest
    again = PreparedData.open(tmp_path / "kept").attributes
    assert again is not None
    assert again.equals(kept.attributes)


def test_lists_pictures_and_objects_are_not_kept(tmp_path: Path) -> None:
    items = ITEMS.with_columns(
        vector=pl.lit([1.0, 2.0]), photo=pl.lit(b"\x00"), both=pl.struct("title", "price")
    )
    data = prepare(LOG, items=items, out=tmp_path / "data", negatives=2)
    assert data.attributes is not None
    assert data.attributes.columns == ["price"]
    assert "DataFrame: nothing reads the columns vector, photo, both" in data.manifest["notes"]


def test_a_column_may_have_the_name_of_a_role_that_another_one_plays(tmp_path: Path) -> None:
    items = ITEMS.with_columns(category=pl.lit("of its own"), categories=pl.lit("read"))
    data = prepare(LOG, items=items, out=tmp_path / "data", negatives=2)
    assert data.catalog["categories"].to_list() == [["read"]] * 9
    assert data.attributes is not None
    assert data.attributes["category"].to_list() == ["of its own"] * 9


def test_brands_are_kept_for_rules_though_training_reads_them(tmp_path: Path) -> None:
    branded = ITEMS.drop("price").with_columns(brand=pl.lit("7"))
    data = prepare(LOG, items=branded, out=tmp_path / "data", negatives=2)
    assert data.attributes is not None
    assert data.attributes.to_dict(as_series=False) == {"brand": ["7"] * 9}
    assert data.catalog["brand"].to_list() == ["7"] * 9
    assert not [note for note in data.manifest["notes"] if "brand" in note]
