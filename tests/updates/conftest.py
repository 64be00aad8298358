"""A run on the first part of a log, and what came after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from solidrec.api import prepare, train
from solidrec.data.prepared import PreparedData
from solidrec.runs import Run


class Begun(NamedTuple):
    """A run, its data, the events that came later, and a table that describes all items."""

    run: Run
    data: PreparedData
    clicks: pl.DataFrame
    items: pl.DataFrame


@pytest.fixture(scope="session")
def log(walk: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A walk of 120 users whose later events have two new items among them."""
    log, items = walk(users=120, length=12)
    start = pl.col("user").str.slice(1).cast(pl.Int64)
    log = log.select("user", "item", timestamp=start + 20 * pl.col("position"))
    new = (pl.col("timestamp") > 180) & pl.col("item").is_in(["i03", "i17"])
    named = pl.when(new).then(pl.col("item") + "new").otherwise("item")
    twins = items.filter(pl.col("item").is_in(["i03", "i17"])).with_columns(pl.col("item") + "new")
    return log.with_columns(item=named), pl.concat([items, twins]).drop("item_idx")


def begun(name: str, log: tuple[pl.DataFrame, pl.DataFrame], out: Path) -> Begun:
    """Train a model of this name on what was before time 160, with validation by time."""
    before = log[0].filter(pl.col("timestamp") < 160)
    data = prepare(before, items=log[1], split="time", out=out / "data")
    settings: dict[str, Any] = {"model": {"dim": 8, "start": "content"}}
    settings |= {"train": {"batch_size": 128, "learning_rate": 0.01, "min_steps": 10}}
    run = train(data, model=name, epochs=8, settings=settings, out=out / "run", progress=False).run
    return Begun(run, data, log[0].filter(pl.col("timestamp") >= 160), log[1])


@pytest.fixture(scope="session")
def mixture(
    log: tuple[pl.DataFrame, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> Begun:
    """The default model; nobody writes to its folders."""
    return begun("mixture", log, tmp_path_factory.mktemp("mixture"))


@pytest.fixture(scope="session")
def solid(
    log: tuple[pl.DataFrame, pl.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> Begun:
    """A model with semantic ids and generated layers; nobody writes to its folders."""
    return begun("solid-duet", log, tmp_path_factory.mktemp("solid"))
