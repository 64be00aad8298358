from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from solidrec.artifacts import write_manifest
from solidrec.data.prepared import PreparedData
from solidrec.designs import DESIGNS, named
from solidrec.epochs import read_history, write_history
from solidrec.errors import DamagedError, IncompatibleError, StorageError
from solidrec.inference.scorer import ModelScorer
from solidrec.json_files import read_json, write_json
from solidrec.runs import load_run
from solidrec.semantics.ids import SemanticIds


@pytest.fixture
def copy(run_folder: Path, tmp_path: Path) -> Path:
    """A copy of a finished run to do harm to."""
    return Path(shutil.copytree(run_folder, tmp_path / "run"))


def vouch_again(run: Path) -> None:
    """Write the manifest anew, as somebody would who wants us to trust changed files."""
    manifest = read_json(run / "manifest.json")
    facts = {
        key: value
        for key, value in manifest.items()
        if key not in ("kind", "format", "versions", "files")
    }
    write_manifest(run, kind="run", files=manifest["files"], facts=facts)


def test_a_loaded_run_scores_as_the_trained_one(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    from solidrec.nn.recommender import Recommender
    from solidrec.settings import merge
    from solidrec.spec import RunSpec
    from solidrec.training.checkpoint import Checkpoints
    from solidrec.training.context import RunContext
    from solidrec.training.run import _finish
    from solidrec.training.semantics import cached_semantics
    from solidrec.training.stages import fit, trained_vectors

    named = {"data": data.fingerprint, "model": {"name": "solid-apg"}, "train": {"epochs": 2}}
    spec = RunSpec.parse(merge(tiny, named))
    semantics: SemanticIds = cached_semantics(data, spec, trained_vectors(data))
    model: Recommender = fit(
        RunContext(data, spec, checkpoints=Checkpoints(tmp_path / "checkpoints")), semantics
    )
    write_json(tmp_path / "spec.json", spec.model_dump(mode="json"))
    run_of = RunContext(data, spec, out=tmp_path)
    _finish(run_of, model, semantics=semantics, metrics={}, seconds=1.0)
    run = load_run(tmp_path)
    histories = np.array([[1, 2, 3], [7, 0, 0], [0, 0, 0]])
    every = np.arange(1, 41)[None]
    assert np.array_equal(
        ModelScorer(run.model)(histories, every), ModelScorer(model)(histories, every)
    )
    assert (run.spec, run.metrics, run.history) == (spec, {}, [])
    assert not run.model.training


def test_state_dict_is_the_whole_model(run_folder: Path) -> None:
    stored = load_file(run_folder / "weights.safetensors")
    run = load_run(run_folder)
    assert stored.keys() == run.model.state_dict().keys()
    assert {name for name, _ in run.model.named_parameters()} <= stored.keys()
    assert torch.equal(
        stored["source.trunk.semantic_of_item"],
        torch.from_numpy(run.semantics.of_item if run.semantics else []),
    )


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_t7_truncated_weights_are_named(copy: Path, share: float) -> None:
    weights = copy / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[: int(len(content) * share)])
    sizes = rf"\(file {int(len(content) * share):,} B, manifest {len(content):,} B\)"
    with pytest.raises(
        DamagedError, match=rf"weights.safetensors: is truncated or changed {sizes}"
    ) as caught:
        load_run(copy)
    assert caught.value.exit_code == 77


@pytest.mark.parametrize(
    "name",
    ["weights.safetensors", "items.parquet", "spec.json", "metrics.json", "semantics/of_item.npy"],
)
def test_t8_a_flipped_bit_is_found_in_every_file(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(DamagedError, match=f"{name}: its bytes changed") as caught:
        load_run(copy)
    assert caught.value.exit_code == 77


@pytest.mark.parametrize(
    "name",
    [
        "weights.safetensors",
        "items.parquet",
        "spec.json",
        "history.jsonl",
        "semantics/semantics.json",
    ],
)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(DamagedError, match=f"{name}: is missing though its manifest lists it"):
        load_run(copy)


def test_a_folder_that_is_no_run_is_said_to_be_none(tmp_path: Path, data: PreparedData) -> None:
    for path, text in (
        (tmp_path, "is not a run folder of solidrec"),
        (tmp_path / "nowhere", "no such folder; give the folder that `solidrec train --out` wrote"),
        (data.path, "is a 'data' folder, a 'run' folder is needed"),
        (data.path / "manifest.json", "no such folder"),
    ):
        with pytest.raises(StorageError, match=text) as caught:
            load_run(path)
        assert caught.value.exit_code == 74


def test_an_unfinished_run_says_how_to_go_on(copy: Path) -> None:
    (copy / "manifest.json").unlink()
    with pytest.raises(
        StorageError,
        match=r"training has not finished; "
        r"run the same `solidrec train` command again to resume it",
    ):
        load_run(copy)


def test_t12_weights_of_another_shape_are_refused(copy: Path) -> None:
    spec = read_json(copy / "spec.json")
    write_json(copy / "spec.json", spec | {"model": spec["model"] | {"dim": 16}})
    vouch_again(copy)
    with pytest.raises(
        IncompatibleError,
        match=r"weights.safetensors: does not fit its spec.json, first difference: ",
    ) as caught:
        load_run(copy)
    assert caught.value.exit_code == 76


def test_a_log_that_is_none_is_one_line(copy: Path) -> None:
    (copy / "history.jsonl").write_text('{"stage": 1}\n{bad\n', encoding="utf-8")
    with pytest.raises(DamagedError, match=r"history.jsonl: is not as it was written"):
        read_history(copy)


class Canary:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("kind", ["pickle", "torch", "html", "zeros", "huge header"])
def test_t9_t10_weights_that_are_no_safetensors_are_refused_and_nothing_runs(
    copy: Path, tmp_path: Path, kind: str
) -> None:
    weights, canary = copy / "weights.safetensors", tmp_path / "canary"
    if kind == "torch":
        torch.save({"items.weight": torch.zeros(3), "x": Canary(canary)}, weights)
    else:
        content = {
            "pickle": pickle.dumps(Canary(canary)),
            "html": b"<!doctype html><title>404</title>" * 9,
            "zeros": bytes(64),
            "huge header": (2**40).to_bytes(8, "little") + b"{}",
        }
        weights.write_bytes(content[kind])
    vouch_again(copy)
    with pytest.raises(
        DamagedError, match=r"weights.safetensors: is not a readable safetensors file"
    ) as caught:
        load_run(copy)
    assert caught.value.exit_code == 77
    assert "weights_only" not in str(caught.value)
    assert not canary.exists()


def test_t10_a_pickled_array_of_semantics_does_not_run(copy: Path, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    np.save(
        copy / "semantics" / "of_item.npy",
        np.array([Canary(canary)], dtype=object),
        allow_pickle=True,
    )  # as an attacker would
    inner = read_json(copy / "semantics" / "manifest.json")
    write_manifest(copy / "semantics", kind="semantics", files=inner["files"], facts={})
    vouch_again(copy)
    with pytest.raises(DamagedError, match=r"of_item.npy: is not a plain array"):
        load_run(copy)
    assert not canary.exists()


def test_t12_a_newer_format_and_a_setting_of_a_newer_version_are_said_to_be_so(copy: Path) -> None:
    spec = read_json(copy / "spec.json")
    write_json(copy / "spec.json", spec | {"model": spec["model"] | {"experts": 4}})
    vouch_again(copy)
    with pytest.raises(
        IncompatibleError, match=r"spec.json: written by solidrec .*unknown setting 'model.experts'"
    ) as caught:
        load_run(copy)
    assert caught.value.exit_code == 76
    write_json(copy / "manifest.json", read_json(copy / "manifest.json") | {"format": 2})
    with pytest.raises(IncompatibleError, match=r"\(format 2\), this one reads format 1"):
        load_run(copy)


def test_which_models_read_semantic_ids() -> None:
    without = {name for name in named(mixtures=False) if not DESIGNS[name].needs_semantics}
    assert without == {"static", "duet", "apg", "plain"}


def test_a_log_comes_back(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "valid": {"UAUC": 0.5}, "loss": None}, {"epoch": 2, "note": "ä"}]
    write_history(tmp_path, rows)
    assert read_history(tmp_path) == rows
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_history(tmp_path, [{"loss": float("nan")}])
    assert read_history(tmp_path) == rows
