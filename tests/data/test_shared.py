"""Every shared research set prepares without a column option, with its items file and features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from solidrec.data.prepare import prepare

COUNTS = {
    "scientific": (8_442, 4_385, 59_427),
    "scientific_mm": (2_928, 1_585, 19_712),
    "instruments": (24_772, 9_922, 206_153),
    "instruments_mm": (17_112, 6_250, 136_226),
    "arts_mm": (22_171, 9_416, 174_079),
    "beauty": (22_363, 12_101, 198_502),
    "office14": (4_905, 2_420, 53_258),
    "douban_book": (2_110, 6_777, 96_041),
    "douban_music": (1_672, 5_567, 69_709),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_shared_set_prepares_without_options(
    tmp_path: Path, shared_data: Callable[[str], Path], name: str
) -> None:
    folder = shared_data(name)
    features = {path.stem: path for path in folder.glob("*.npy")}
    data = prepare(
        folder / "interactions.parquet",
        items=folder / "items.parquet",
        features=features,
        out=tmp_path / "data",
    )
    assert tuple(data.manifest[key] for key in ("users", "items", "interactions")) == COUNTS[name]
    assert set(data.features) == set(features)
    assert (
        data.manifest["catalog"]["without_catalog_row"]
        == data.manifest["catalog"]["catalog_only"]
        == 0
    )
    assert data.rows("test").candidates(0, 1).shape == (1, 1 + 99)


def test_position_order_gives_the_split_that_scientific_states(
    tmp_path: Path, shared_data: Callable[[str], Path]
) -> None:
    path = shared_data("scientific") / "interactions.parquet"
    data = prepare(path, out=tmp_path / "data")
    stated = pl.read_parquet(path).filter(pl.col("split").cast(pl.String) == "test").sort("user_id")
    rows = data.rows("test")
    assert [data.users.id(user) for user in rows.users.tolist()] == stated["user_id"].to_list()
    assert [data.items.id(item) for item in rows.targets.tolist()] == stated["item_id"].to_list()
    seen = data.histories(rows.users, rows.positions, 100)
    assert (
        int((seen == rows.targets[:, None]).any(axis=1).sum()) == 50
    )  # test targets that are repeats
