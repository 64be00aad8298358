"""Specifications refuse unknown settings in one line that names the cure, and hash their values."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pydantic
import pytest

from solidrec.errors import UsageError
from solidrec.settings import merge
from solidrec.spec import (
    BACKBONE_NAMES,
    LATER,
    MODEL_NAMES,
    CodebookSpec,
    ModelSpec,
    RunSpec,
    SemanticsSpec,
    TrainSpec,
)


def test_defaults_are_the_papers_but_for_the_step() -> None:
    """Table 7, T and lambda of Eq. 12 and 13; smaller and quicker steps (docs/decisions.md)."""
    run = RunSpec(data="x")
    assert (run.train.batch, run.train.learning_rate) == (512, 0.002)
    assert (run.train.negatives, run.train.penalty) == (4, None)
    assert (run.model.length, run.model.dim, run.model.codebook.hidden, run.model.clip) == (
        10,
        32,
        64,
        0.01,
    )
    assert (run.model.core, run.model.codebook.loss, run.model.codebook.distance) == (
        16,
        "pair",
        "euclidean",
    )
    assert RunSpec.parse({"data": "x"}) == run


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"modell": {}}, "unknown setting 'modell'; did you mean 'model'"),
        ({"model": {"dims": 3}}, "unknown setting 'model.dims'; did you mean 'model.dim'"),
        (
            {"model": {"codebook": {"los": "pair"}}},
            "unknown setting 'model.codebook.los'; did you mean 'model.codebook.loss'",
        ),
        ({"train": {"zzz": 1}}, "unknown setting 'train.zzz'; known: epochs, batch,"),
        (
            {"model": {"dim": 0}},
            r"setting model.dim: input should be greater than or equal to 1 \(got 0\)",
        ),
        ({"model": {"dim": "wide"}}, "setting model.dim: .* valid integer.* 'wide'"),
        (
            {"model": {"name": "solid-dute"}},
            "setting model.name: unknown name 'solid-dute'; did you mean 'solid-duet'",
        ),
        (
            {"model": {"backbone": "SASRec"}},
            "setting model.backbone: unknown name 'SASRec'; "
            "known: din, gru4rec, sasrec, bert4rec, ligr, bsarec",
        ),
        (
            {"model": {"backbone": 3}},
            r"setting model.backbone: input should be a valid string \(got 3\)",
        ),
        ({"model": 5}, "setting model: "),
        ({"train": {"learning_rate": float("nan")}}, "setting train.learning_rate: "),
        ({"train": {"learning_rate": float("inf")}}, "setting train.learning_rate: .*finite"),
        ({"model": {"clip": float("inf")}}, "setting model.clip: .*finite"),
        ({"model": {"clip": -0.01}}, "setting model.clip: "),
        ({"model": {"dropout": 1.0}}, "setting model.dropout: .*less than 1"),
        ({"semantics": {"modalities": "text"}}, "setting semantics.modalities: "),
        ({"semantics": {"seed": -1}}, "setting semantics.seed: "),
        ({"seed": 0.5}, "setting seed: "),
    ],
)
def test_a_wrong_key_or_value_is_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        RunSpec.parse({"data": "x"} | values)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(
        UsageError,
        match=r"setting data: field required.*; setting model\.dim: .*; "
        r"unknown setting 'model\.widht'",
    ):
        RunSpec.parse({"model": {"dim": 0, "widht": 3}})


def test_frozen_to_the_bottom() -> None:
    run = RunSpec(data="x")
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        run.seed = 1
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        run.model.codebook.loss = "ema"


@pytest.mark.parametrize(
    "change",
    [
        {"data": "y"},
        {"seed": 1},
        {"model": {"dim": 16}},
        {"model": {"codebook": {"mlp": False}}},
        {"train": {"penalty": 0.2}},
        {"semantics": {"modalities": ["text"]}},
    ],
)
def test_digest_changes_with_every_setting(change: dict[str, Any]) -> None:
    assert RunSpec.parse(merge({"data": "x"}, change)).digest() != RunSpec(data="x").digest()


def test_digest_depends_on_values_and_not_on_how_they_were_written() -> None:
    """Key order, written-out defaults, 1 for 1.0 and a trip through JSON are the same run."""
    run = RunSpec.parse({"data": "x", "train": {"penalty": 1}, "seed": 0})
    assert (
        run.digest()
        == RunSpec.parse(
            {"seed": 0, "train": {"penalty": 1.0, "epochs": TrainSpec().epochs}, "data": "x"}
        ).digest()
    )
    assert RunSpec.parse(json.loads(run.model_dump_json())) == run
    assert RunSpec.parse(json.loads(run.model_dump_json())).digest() == run.digest()
    assert len(run.digest()) == 12
    assert set(run.digest()) <= set("0123456789abcdef")


def test_all_names_are_accepted() -> None:
    made = {
        (ModelSpec.parse({"name": n, "backbone": b}).name, b)
        for n in MODEL_NAMES
        for b in BACKBONE_NAMES
    }
    assert len(made) == 17 * 6


def test_a_part_parses_alone() -> None:
    assert SemanticsSpec.parse({"modalities": ["text"]}).modalities == ("text",)
    with pytest.raises(UsageError, match="unknown setting 'hiden'; did you mean 'hidden'"):
        CodebookSpec.parse({"hiden": 3})


@pytest.mark.parametrize("name", ["uauc", "full", "NDCG@7", "paper UAUC", "LogLoss"])
def test_an_epoch_is_chosen_by_a_known_metric(name: str) -> None:
    with pytest.raises(UsageError, match="setting select"):
        TrainSpec.parse({"select": name})


def test_settings_that_came_later_leave_a_digest_as_it_was() -> None:
    """At their defaults; with another value the run is another one."""
    run = RunSpec(data="x")
    assert run.digest() == "8bd573d3344e"  # what it was before any of them
    without = run.model_dump(mode="json")
    for group, defaults in LATER.items():
        assert {key: without[group].pop(key) for key in defaults} == defaults
    text = json.dumps(without, sort_keys=True)
    assert run.digest() == hashlib.sha256(text.encode()).hexdigest()[:12]
    others = [{"model": {"clip_gradient": "hard"}}, {"train": {"folds": "time"}}]
    assert (
        len({RunSpec.parse({"data": "x", **other}).digest() for other in others} | {run.digest()})
        == 3
    )
