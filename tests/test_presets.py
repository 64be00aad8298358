"""Presets are settings that a specification accepts, and the command line takes them by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from solidrec.cli.settings_options import settings
from solidrec.defaults import run_spec
from solidrec.errors import UsageError
from solidrec.experiments.experiment_spec import read_experiment
from solidrec.json_files import read_json
from solidrec.presets import preset, presets
from solidrec.settings import flat, nested
from solidrec.spec import MIXTURE_NAMES, CodebookSpec, ModelSpec, RunSpec, TrainSpec


@pytest.mark.parametrize("name", presets())
def test_a_preset_is_a_specification(name: str) -> None:
    assert RunSpec.parse({"data": "x", **preset(name)}) != RunSpec.parse({"data": "x"})


def test_the_papers_preset_has_its_table_7_and_its_equation_13() -> None:
    spec = RunSpec.parse({"data": "x", **preset("paper")})
    assert (
        spec.model.dim,
        spec.model.history_length,
        spec.model.clip,
        spec.model.codebook.hidden,
    ) == (32, 10, 0.01, 64)
    assert (spec.train.batch_size, spec.train.learning_rate, spec.train.codebook_weight) == (
        1024,
        0.001,
        0.1,
    )
    assert (spec.model.codebook.find, spec.model.codebook.loss, spec.model.codebook.schedule) == (
        "nearest",
        "literal",
        "staged",
    )


def test_the_papers_preset_leaves_nothing_to_a_default() -> None:
    """Every setting of such a run is written down, so no change of a default moves its results."""
    written = set(flat(preset("paper")))
    fields = {
        f"model.{name}" for name in ModelSpec.model_fields if name not in ("backbone", "codebook")
    }
    fields |= {f"model.codebook.{name}" for name in CodebookSpec.model_fields}
    other_models = {"train.shared", "train.calibration", "train.passes", "train.folds"}
    machine = {"train.precision", "train.compile"}
    fields |= {f"train.{name}" for name in TrainSpec.model_fields}
    assert written == fields - other_models - machine
    spec = ModelSpec.parse(preset("paper")["model"])
    assert (spec.dropout, spec.clip_gradient, spec.branch_start, spec.codebook.revive) == (
        0.0,
        "hard",
        "random",
        False,
    )
    assert TrainSpec.parse(preset("paper")["train"]).served(10) == 1


def test_an_unknown_name_is_one_line() -> None:
    with pytest.raises(UsageError, match="did you mean 'paper'"):
        preset("papr")


def test_the_command_line_takes_a_preset_or_a_file(
    solidrec: Callable[..., Any], data: Any, tmp_path: Path
) -> None:
    """Both are refused by name where they are neither; what is laid over a preset wins."""
    gone = solidrec("train", data.path, "--config", "papr", "--out", tmp_path / "run")
    assert gone.code == 2
    assert f"give a TOML file or a preset ({', '.join(presets())})" in gone.err
    made = solidrec(
        "train",
        data.path,
        "--model",
        "static",
        "--config",
        "paper",
        "--set",
        "train.batch_size=128",
        "--epochs",
        1,
        "--out",
        tmp_path / "run",
    )
    assert made.code == 0, made.err
    spec = RunSpec.parse(read_json(tmp_path / "run" / "spec.json"))
    assert (spec.train.batch_size, spec.train.learning_rate) == (128, 0.001)


def test_a_folder_of_the_same_name_hides_no_preset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prepared data often have the name of their preset."""
    (tmp_path / "scientific_mm").mkdir()
    monkeypatch.chdir(tmp_path)
    assert settings(Path("scientific_mm"), []) == preset("scientific_mm")


@pytest.mark.parametrize("name", [*MIXTURE_NAMES, "plain"])
def test_a_mixture_and_its_neural_expert_alone_have_the_same_settings(data: Any, name: str) -> None:
    """So the expert is what *plain* trains, wide in a small catalogue; given settings win."""
    spec = run_spec(data, model=name, backbone=None, seed=None, epochs=None, settings=None)
    base = run_spec(data, model="mixture", backbone=None, seed=None, epochs=None, settings=None)
    assert spec.model == base.model.model_copy(update={"name": name})
    assert (spec.train, spec.train.loss, spec.model.dim) == (base.train, "softmax", 256)
    narrow = run_spec(
        data, model=name, backbone=None, seed=None, epochs=None, settings={"model": {"dim": 8}}
    )
    assert narrow.model.dim == 8


def test_other_models_have_their_own_settings(data: Any) -> None:
    spec = run_spec(data, model="solid-duet", backbone=None, seed=None, epochs=None, settings=None)
    assert (spec.model, spec.train) == (ModelSpec(), TrainSpec())


def test_the_experiment_as_printed_has_the_papers_preset(repository: Path) -> None:
    experiment = read_experiment(str(repository / "docs" / "results" / "printed.toml"))
    assert flat(nested(experiment.settings)) | {"model.name": "solid-duet"} == flat(preset("paper"))
