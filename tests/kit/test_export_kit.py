"""The halves of the kit answer as the model does, in any runtime of ONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from solidrec.api import load, train
from solidrec.artifacts import sha256
from solidrec.data.prepared import PreparedData
from solidrec.errors import IncompatibleError, UsageError
from solidrec.kit import export_kit as module
from solidrec.kit.export_kit import export_kit, group_weights
from solidrec.kit.packet import decode
from solidrec.recommend.parameters import generated
from solidrec.updates.delisted import without

HISTORY = ["i03", "i09", "i14"]


def run_onnx(path: Path, **inputs: Any) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    read = {one.name for one in session.get_inputs()}
    found = session.run(None, {name: one for name, one in inputs.items() if name in read})
    return dict(zip([one.name for one in session.get_outputs()], found, strict=True))


def test_cloud_and_device_together_rank_as_the_model_does(run_folder: Path, tmp_path: Path) -> None:
    model = load(run_folder)
    facts = export_kit(model.run, tmp_path / "kit")
    assert facts["largest_difference"] < 1e-4
    history = model.engine.window([model.run.items.known(HISTORY)[0]])
    weights = run_onnx(tmp_path / "kit" / "cloud.onnx", history=history)
    for slot, tensor in generated(model.engine, HISTORY).items():
        assert weights[slot][0] == pytest.approx(tensor, abs=1e-5)
    scores = run_onnx(
        tmp_path / "kit" / "device.onnx",
        history=history,
        candidates=np.arange(1, 41)[None],
        **weights,
    )["scores"][0]
    ids = [item for item, _ in json.loads((tmp_path / "kit" / "items.json").read_text())]
    best = [ids[column] for column in np.argsort(-scores, kind="stable")]
    expected = [one["item"] for one in model.recommend(HISTORY, 40, keep_history=True).items]
    assert best == expected


def test_the_kit_says_what_belongs_together(run_folder: Path, tmp_path: Path) -> None:
    model = load(run_folder)
    export_kit(model.run, tmp_path / "kit")
    facts = json.loads((tmp_path / "kit" / "kit.json").read_text())
    assert set(facts["files"]) == {"cloud.onnx", "device.onnx", "group.packet", "items.json"}
    for name, own in facts["files"].items():
        assert own["sha256"] == sha256(tmp_path / "kit" / name)
    group = decode(
        (tmp_path / "kit" / "group.packet").read_bytes(), model=bytes.fromhex(facts["model"])
    )
    for slot, tensor in group_weights(model.engine).items():
        assert (group.tensors[slot] == tensor).all()
        assert facts["slots"][slot] == list(tensor.shape)


@pytest.mark.parametrize(("precision", "share"), [("fp16", 0.5), ("int8", 0.25)])
def test_smaller_item_vectors_score_nearly_the_same(
    run_folder: Path, tmp_path: Path, precision: Any, share: float
) -> None:
    model = load(run_folder)
    whole = export_kit(model.run, tmp_path / "whole")
    small = export_kit(model.run, tmp_path / "small", item_precision=precision)
    table = 41 * 8 * 4
    saved = whole["files"]["device.onnx"]["bytes"] - small["files"]["device.onnx"]["bytes"]
    assert saved > (1 - share) * table - 41 * 4 - 600  # less the scales and some nodes
    assert whole["largest_difference"] < small["largest_difference"] < 0.05


def test_a_static_model_and_one_that_reads_candidates_have_a_kit_too(
    data: PreparedData, tiny: dict[str, Any], tmp_path: Path
) -> None:
    for name, backbone in (("static", "gru4rec"), ("apg", "din"), ("duet", "bert4rec")):
        run = train(
            data, model=name, backbone=backbone, epochs=1, settings=tiny, out=tmp_path / name,
            progress=False,
        ).run  # fmt: skip
        facts = export_kit(run, tmp_path / f"{name}-kit")
        assert facts["largest_difference"] < 1e-4
        # what everybody shares needs no cloud
        assert ("cloud.onnx" in facts["files"]) is (name != "static")


def test_a_half_that_answers_otherwise_is_not_written(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scored(self: Any, history: Any, candidates: Any, *tensors: Any) -> Any:
        return self.model.score(history, candidates, module.BuiltWeights(
            {slot: tensor * 1.01 for slot, tensor in zip(self.slots, tensors, strict=True)}
        ))  # fmt: skip

    monkeypatch.setattr(module._Device, "forward", scored)
    with pytest.raises(IncompatibleError, match=r"the exported model is off by .* nothing was"):
        export_kit(load(run_folder).run, tmp_path / "kit")
    assert list(tmp_path.iterdir()) == []


def test_a_mixture_and_an_unknown_precision_are_refused(
    run_folder: Path, tmp_path: Path, data: PreparedData, tiny: dict[str, Any]
) -> None:
    with pytest.raises(UsageError, match="item precision 'int4' is unknown; did you mean 'int8'"):
        export_kit(load(run_folder).run, tmp_path / "kit", item_precision="int4")  # type: ignore[arg-type]
    settings = {"model": {"dim": 8}, "train": tiny["train"] | {"passes": 1}}
    mixed = train(
        data, model="mixture", epochs=1, settings=settings, out=tmp_path / "mixed", progress=False
    )
    with pytest.raises(UsageError, match="which no device keeps; train the model alone"):
        export_kit(mixed.run, tmp_path / "kit")


def test_group_weights_are_those_of_many_and_the_same_every_time(run_folder: Path) -> None:
    engine = load(run_folder).engine
    one, other = group_weights(engine), group_weights(engine)
    for slot, tensor in one.items():
        assert (tensor == other[slot]).all()
        assert not np.allclose(tensor, generated(engine, HISTORY)[slot], atol=1e-6)
    assert torch.is_grad_enabled()


def test_the_kit_names_the_items_that_are_delisted(run_folder: Path, tmp_path: Path) -> None:
    run = without(load(run_folder).run, ["i00", "i02"])
    assert export_kit(run, tmp_path / "kit")["delisted"] == [1, 3]
