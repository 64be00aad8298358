"""Semantic ids beside the data: made once, at first need, as are the item embeddings of some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solidrec.artifacts import sha256
from solidrec.data.prepared import PreparedData
from solidrec.errors import StorageError
from solidrec.semantics.fuse import fuse
from solidrec.semantics.kmeans import kmeans
from solidrec.spec import RunSpec
from solidrec.training.context import RunContext
from solidrec.training.run import train_run
from solidrec.training.semantics import cached_semantics
from solidrec.training.stages import fit


def test_semantics_come_from_what_the_data_has_and_are_made_once(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    no_training: Callable[[RunSpec], np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    spec = spec_of(semantics={"seed": 11})
    made = cached_semantics(data, spec, no_training, say=said.append)
    assert said == [
        "semantics: 10 ids by kmeans over content (the data has feature matrices: content)"
    ]

    def never(*args: Any, **options: Any) -> None:
        raise AssertionError("made a second time")

    monkeypatch.setattr("solidrec.training.semantics.make", never)
    again = cached_semantics(data, spec, no_training, say=said.append)
    assert np.array_equal(again.of_item, made.of_item)


def test_two_processes_may_make_the_same_semantics_at_once(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    no_training: Callable[[RunSpec], np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other one is quicker: its folder is there when ours is renamed."""
    from solidrec.semantics.ids import SemanticIds

    save = SemanticIds.save

    def late(self: SemanticIds, folder: Path) -> None:
        save(self, folder)
        raise StorageError("Directory not empty")

    monkeypatch.setattr(SemanticIds, "save", late)
    spec = spec_of(semantics={"seed": 12})
    assert cached_semantics(data, spec, no_training, say=lambda line: None).count == 10


def test_ids_alone_train_a_static_model_on_the_way(
    ids_alone: PreparedData, spec_of: Callable[..., RunSpec], tmp_path: Path
) -> None:
    said: list[str] = []
    spec = spec_of("spg", of=ids_alone, train={"epochs": 2})
    run = train_run(ids_alone, spec, tmp_path / "run", say=said.append)
    assert said[0] == "semantics: training a static SASRec first, for its item embeddings"
    assert said[1].startswith("semantics: 10 ids by kmeans over id")
    assert run.semantics is not None
    assert [row["stage"] for row in run.history] == [
        1,
        1,
    ]  # the static model's epochs are no part of this run's log
    static = fit(
        RunContext(ids_alone, spec_of("static", of=ids_alone, seed=0, train={"epochs": 2})), None
    )
    table = static.items.weight[1:].detach().numpy()
    assert np.array_equal(
        run.semantics.of_item[1:] - 1, kmeans(fuse([table]), 10, seed=0).of_vector
    )
    again = train_run(ids_alone, spec, tmp_path / "again", say=said.append)
    assert sha256(again.path / "weights.safetensors") == sha256(run.path / "weights.safetensors")
    assert sum("static SASRec" in line for line in said) == 1  # made once, cached with the data


def test_i10_degenerate_ids_are_said_each_time(
    data: PreparedData,
    spec_of: Callable[..., RunSpec],
    no_training: Callable[[RunSpec], np.ndarray],
    tmp_path: Path,
) -> None:
    """All items have one vector, so that one id is left of the five asked for."""
    alike = replace(data, path=tmp_path, features={"content": np.ones((41, 2), dtype=np.float32)})
    spec = spec_of(semantics={"clusters": 5})
    for _ in range(2):  # made, and read
        said: list[str] = []
        assert cached_semantics(alike, spec, no_training, say=said.append).count == 1
        assert said[1].startswith("warning: 1 semantic ids (5 asked for) for 40 items")
