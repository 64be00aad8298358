"""A run whose items have prices, stocks and brands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from solidrec.api import Model, prepare, train
from solidrec.data.prepared import PreparedData


@pytest.fixture(scope="session")
def shop_items(walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]]) -> pl.DataFrame:
    """Item i has the price i, or none if i ends in 7; the brand "b" + i mod 3; i mod 4 in stock."""
    items = walk()[1]
    number = pl.col("item").str.slice(1).cast(pl.Int64)
    price = pl.when(number % 10 != 7).then(number)
    return items.with_columns(
        price=price, stock=number % 4, maker=pl.format("b{}", number % 3), on_sale=number % 2 == 0
    )


@pytest.fixture(scope="session")
def shop(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]],
    shop_items: pl.DataFrame,
    tiny: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Model:
    folder = tmp_path_factory.mktemp("shop")
    data = prepare(walk()[0], items=shop_items, out=folder / "data")
    return train(
        data, model="solid-duet", epochs=3, out=folder / "run", settings=tiny, progress=False
    )


@pytest.fixture(scope="session")
def mixed(
    data: PreparedData, tiny: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Model:
    """A mixture whose weights are generated; nobody writes to its folder."""
    return train(
        data,
        model="mixture",
        epochs=2,
        settings={"model": {"dim": 8}, "train": tiny["train"] | {"passes": 2}},
        out=tmp_path_factory.mktemp("mixed") / "run",
        progress=False,
    )
