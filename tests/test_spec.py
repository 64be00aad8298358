"""Specifications refuse unknown settings in one line that names the cure, and hash their values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pydantic
import pytest

from solidrec.errors import UsageError
from solidrec.settings import merge
from solidrec.spec import (
    BACKBONE_NAMES,
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
    assert (run.train.batch_size, run.train.learning_rate) == (512, 0.002)
    assert (run.train.negatives, run.train.codebook_weight) == (4, None)
    assert (run.model.history_length, run.model.dim, run.model.codebook.hidden, run.model.clip) == (
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
        ({"train": {"zzz": 1}}, "unknown setting 'train.zzz'; known: epochs, batch_size,"),
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
            r"setting model.backbone.name: input should be a valid string \(got 3\)",
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
        {"train": {"codebook_weight": 0.2}},
        {"semantics": {"modalities": ["text"]}},
    ],
)
def test_digest_changes_with_every_setting(change: dict[str, Any]) -> None:
    assert RunSpec.parse(merge({"data": "x"}, change)).digest() != RunSpec(data="x").digest()


def test_digest_depends_on_values_and_not_on_how_they_were_written() -> None:
    """Key order, written-out defaults, 1 for 1.0 and a trip through JSON are the same run."""
    run = RunSpec.parse({"data": "x", "train": {"codebook_weight": 1}, "seed": 0})
    assert (
        run.digest()
        == RunSpec.parse(
            {
                "seed": 0,
                "train": {"codebook_weight": 1.0, "epochs": TrainSpec().epochs},
                "data": "x",
            }
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


@pytest.mark.parametrize(
    ("settings", "digest"),
    [
        ({}, "8bd573d3344e"),
        (
            {
                "model": {
                    "name": "mixture",
                    "length": 50,
                    "dropout": 0.5,
                    "start": "auto",
                    "clip": 1.0,
                    "dim": 256,
                },
                "train": {"loss": "softmax", "batch": 512},
            },
            "cda6d67fd61a",
        ),
        ({"model": {"backbone": "ligr", "blocks": 4, "heads": 1}}, "d11c43ef60bb"),
        ({"model": {"backbone": "din"}}, "0cd97ad664d9"),
        (
            {
                "model": {"backbone": "gru4rec", "length": 20},
                "train": {"batch": 1024, "penalty": 0.1, "stride": 1},
                "seed": 3,
            },
            "5656f965ee94",
        ),
    ],
)
def test_a_digest_is_what_it_was_before_any_setting_was_renamed_or_added(
    settings: dict[str, Any], digest: str
) -> None:
    """By the earlier names and by the present ones."""
    run = RunSpec.parse({"data": "x"} | settings)
    assert run.digest() == digest
    assert RunSpec.parse(run.model_dump(mode="json")) == run


def test_recorded_results_are_those_of_the_same_specifications(repository: Path) -> None:
    """The lines of published experiments since digests are what they are."""
    found = 0
    for name in ("controls", "printed", "mixture"):
        file = repository / "docs" / "results" / f"{name}-scientific_mm.jsonl"
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            if "baseline" not in line["spec"]:
                assert RunSpec.parse(line["spec"]).digest() == line["key"]
                found += 1
    assert found == 35 + 47 + 40


def test_settings_that_came_later_change_a_digest_by_another_value() -> None:
    others = [{"model": {"clip_gradient": "hard"}}, {"train": {"folds": "time"}}, {}]
    assert len({RunSpec.parse({"data": "x", **other}).digest() for other in others}) == 3


@pytest.mark.parametrize(
    ("earlier", "present"),
    [
        ({"train": {"batch": 8}}, {"train": {"batch_size": 8}}),
        ({"train": {"penalty": 2}}, {"train": {"codebook_weight": 2}}),
        ({"train": {"stride": None}}, {"train": {"targets_per_pass": None}}),
        ({"model": {"length": 5}}, {"model": {"history_length": 5}}),
        ({"model": {"blocks": 3}}, {"model": {"backbone": {"blocks": 3}}}),
        (
            {"model": {"backbone": "ligr", "heads": 4}},
            {"model": {"backbone": {"name": "ligr", "heads": 4}}},
        ),
        ({"model": {"backbone": "din", "blocks": 3, "heads": 1}}, {"model": {"backbone": "din"}}),
    ],
)
def test_names_of_earlier_versions_are_read(
    earlier: dict[str, Any], present: dict[str, Any]
) -> None:
    run = RunSpec.parse({"data": "x"} | earlier)
    assert run == RunSpec.parse({"data": "x"} | present)
    assert run.digest() == RunSpec.parse({"data": "x"} | present).digest()


@pytest.mark.parametrize(
    ("settings", "both"),
    [
        ({"train": {"batch": 8, "batch_size": 8}}, "train.batch is .* of train.batch_size"),
        ({"model": {"length": 8, "history_length": 8}}, "model.length is .*model.history_length"),
        (
            {"model": {"blocks": 3, "backbone": {"blocks": 3}}},
            "model.blocks is .* of model.backbone.blocks",
        ),
    ],
)
def test_two_names_of_one_setting_are_refused(settings: dict[str, Any], both: str) -> None:
    with pytest.raises(UsageError, match=both):
        RunSpec.parse({"data": "x"} | settings)
