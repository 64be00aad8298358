"""What the tests of training share: a stage of a small model whose validation a test dictates."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from solidrec.data.prepare import prepare
from solidrec.data.prepared import PreparedData
from solidrec.nn.build import build, stages
from solidrec.nn.recommender import Recommender
from solidrec.settings import merge
from solidrec.spec import ModelSpec, RunSpec, TrainSpec
from solidrec.training.batches import TrainingBatches
from solidrec.training.display import Row, Silent
from solidrec.training.loop import Progress, Stage


@pytest.fixture
def stage_of(data: PreparedData) -> Callable[..., Stage]:
    """Make stages whose validation gives `scores`, a UAUC an epoch (None: no validation rows)."""

    def make(
        scores: Sequence[float | None] | None = None,
        *,
        model: str = "static",
        batch: int = 1000,
        save: Callable[[Stage], None] = lambda stage: None,
        revive: bool = True,
        codebook: dict[str, Any] | None = None,
        **train: Any,
    ) -> Stage:
        torch.manual_seed(0)
        spec = ModelSpec.parse(
            {
                "name": model,
                "dim": 8,
                "history_length": 4,
                "codebook": {"schedule": "staged"} | (codebook or {}),
            }
        )
        semantic_of_item = torch.cat([torch.zeros(1), torch.arange(40) // 5 + 1]).long()
        recommender = build(spec, items=40, semantic_of_item=semantic_of_item)
        given = iter(scores or ())

        def validate() -> dict[str, float | None] | None:
            return None if scores is None else {"UAUC": next(given)}

        return Stage(
            recommender,
            TrainingBatches(data, length=4, batch=batch, negatives=3, seed=0, device="cpu"),
            TrainSpec(batch_size=batch, **train),
            seed=0,
            progress=Progress(stage=stages(spec)),
            validate=validate,
            save=save,
            display=Silent(),
            revive=revive,
        )

    return make


@pytest.fixture(scope="session")
def without_times() -> Callable[[list[Row]], list[Row]]:
    """Return a log less what a clock had a say in."""
    return lambda rows: [
        {k: v for k, v in row.items() if k not in ("seconds", "positives_per_second")}
        for row in rows
    ]


@pytest.fixture(scope="session")
def spec_of(data: PreparedData, tiny: dict[str, Any]) -> Callable[..., RunSpec]:
    """Return the maker of small specifications."""

    def make(
        name: str = "solid-duet", *, of: PreparedData = data, seed: int = 3, **settings: Any
    ) -> RunSpec:
        named = {
            "data": of.fingerprint,
            "seed": seed,
            "model": {"name": name},
            "train": {"epochs": 3},
        }
        return RunSpec.parse(merge(merge(tiny, named), settings))

    return make


@pytest.fixture
def ids_alone(
    walk: Callable[..., tuple[pl.DataFrame, pl.DataFrame]], tmp_path: Path
) -> PreparedData:
    """Data without an item side."""
    return prepare(walk(users=30)[0], out=tmp_path / "ids alone")


@pytest.fixture(scope="session")
def no_training() -> Callable[[RunSpec], np.ndarray]:
    """The training of item embeddings where none are needed."""

    def train(static: RunSpec) -> np.ndarray:
        raise AssertionError("a model was trained for nothing")

    return train


@pytest.fixture(scope="session")
def untrained() -> Callable[[PreparedData], Recommender]:
    """Return the maker of a neural expert that has learned nothing, always the same."""

    def make(data: PreparedData) -> Recommender:
        torch.manual_seed(0)
        return build(ModelSpec(name="plain", dim=8, history_length=6), items=len(data.items))

    return make


class Stop:
    """A display that presses Ctrl-C at the second epoch."""

    def epoch(self, row: Row) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    def stage(self, stage: int, epochs: int, steps: int) -> None: ...
    def step(self) -> None: ...
    def done(self, row: Row) -> None: ...


@pytest.fixture
def stop() -> Stop:
    """A display that stops a training."""
    return Stop()


@pytest.fixture
def copy(data: PreparedData, tmp_path: Path) -> PreparedData:
    """Data whose folder may be written to, without the experts that other tests left beside it."""
    shutil.copytree(data.path, tmp_path / "data", ignore=shutil.ignore_patterns("experts"))
    return PreparedData.open(tmp_path / "data")
