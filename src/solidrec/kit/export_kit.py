"""The device kit: cloud half and device half as ONNX, group weights, vocabulary, and their sha256.

``cloud.onnx`` maps a history (1, L), padded with 0 on the right, to the weights of its user.
``device.onnx`` maps a history, candidates (1, C) and weights to scores (1, C); its item vectors may
be float16 or int8. A static model has no cloud half: its group weights are those of everybody.
``group.packet`` holds weights for users without a packet, ``items.json`` the ids and titles in
index order, ``kit.json`` what belongs together.
"""

from __future__ import annotations

import itertools
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from solidrec.artifacts import sha256
from solidrec.disk import new_folder, write_file
from solidrec.errors import IncompatibleError, UsageError, nearest
from solidrec.inference.scorer import evaluating
from solidrec.inference.traced import unchecked
from solidrec.json_files import write_json
from solidrec.kit.item_table import shrink_items
from solidrec.kit.packet import PRECISIONS, Precision, Tensors, encode, model_id
from solidrec.nn.recommender import Recommender
from solidrec.nn.weights import BuiltWeights
from solidrec.recommend.engine import Engine
from solidrec.runs import WEIGHTS, Run

KIT, CLOUD, DEVICE = "kit.json", "cloud.onnx", "device.onnx"
GROUP, ITEMS = "group.packet", "items.json"
_OPSET = 17
_SAMPLED = 256
"""Histories whose mean weights are the group weights."""
_TOLERANCE = 1e-4
"""Largest difference of a score from that of the model in torch."""


class _Cloud(nn.Module):
    """The half that generates: history to weights."""

    def __init__(self, model: Recommender) -> None:
        super().__init__()
        self.model = model

    def forward(self, history: Tensor) -> tuple[Tensor, ...]:
        """Return the weights of each slot."""
        return tuple(self.model.generate(history).weights.tensors.values())


class _Device(nn.Module):
    """The half that scores with given weights."""

    def __init__(self, model: Recommender, slots: list[str]) -> None:
        super().__init__()
        self.model, self.slots = model, slots

    def forward(self, history: Tensor, candidates: Tensor, *tensors: Tensor) -> Tensor:
        """Return the score of each candidate."""
        weights = BuiltWeights(dict(zip(self.slots, tensors, strict=True)))
        return self.model.score(history, candidates, weights)


def export_kit(run: Run, out: Path, *, item_precision: Precision = "fp32") -> dict[str, Any]:
    """Write the device kit of a run to the new folder `out`, and return what ``kit.json`` says.

    Nothing is written unless both halves answer as the model does, on histories and candidates of
    several lengths. With smaller item vectors the scores differ; by how much is in the facts.
    Raises `UsageError` for a mixture, whose memories are too large for a device, and for an unknown
    precision, and `IncompatibleError` if the halves answer otherwise.
    """
    model = run.model
    if not isinstance(model, Recommender):
        raise UsageError(
            f"{run.path}: a mixture reads its memories over the whole catalogue, which no device "
            "keeps; train the model alone (--model solid-duet) for a kit"
        )
    if item_precision not in PRECISIONS:
        raise UsageError(
            f"item precision {item_precision!r} is unknown{nearest(item_precision, PRECISIONS)}"
        )
    engine = Engine(run)
    with new_folder(out) as folder, evaluating(model):
        group = group_weights(engine)
        _export(model, folder, length=run.spec.model.history_length)
        _check(engine, folder, group, tolerance=_TOLERANCE)
        if item_precision != "fp32":
            shrink_items(folder / DEVICE, item_precision)
        apart = _check(engine, folder, group, tolerance=None)
        name = model_id(run.manifest["files"][WEIGHTS]["sha256"])
        packet = encode(group, model=name, created=0, precision="fp32")
        write_file(folder / GROUP, lambda path: path.write_bytes(packet), size=len(packet))
        shown = engine.attributes.shown
        titles = dict(zip(run.items.ids, engine.titles, strict=True))
        write_json(folder / ITEMS, [[item, title] for item, title in titles.items()])
        files = [name for name in (CLOUD, DEVICE, GROUP, ITEMS) if (folder / name).is_file()]
        facts = {
            "version": 1,
            "model": name.hex(),
            "design": run.spec.model.name,
            "backbone": run.spec.model.backbone.name,
            "items": len(run.items),
            "history_length": run.spec.model.history_length,
            "slots": {slot: list(tensor.shape) for slot, tensor in group.items()},
            "item_precision": item_precision,
            "delisted": [] if shown is None else (np.flatnonzero(~shown) + 1).tolist(),
            "largest_difference": apart,
            "files": {
                file: {"bytes": (folder / file).stat().st_size, "sha256": sha256(folder / file)}
                for file in files
            },
        }
        write_json(folder / KIT, facts)
    return facts


def group_weights(engine: Engine) -> Tensors:
    """Return the mean weights of histories that start anywhere in the catalogue, by slot.

    They serve users without a packet, and differences from them are smaller than weights.
    """
    model: Any = engine.run.model
    rng, items = np.random.default_rng(0), len(engine.run.items)
    length = min(engine.run.spec.model.history_length, items)
    histories = [
        (rng.permutation(items)[: 1 + number % length] + 1).tolist() for number in range(_SAMPLED)
    ]
    with evaluating(model):
        weights = model.generate(engine.score.tensor(engine.window(histories))).weights
        return {
            slot: tensor.mean(0).float().cpu().numpy() for slot, tensor in weights.tensors.items()
        }


def _export(model: Recommender, folder: Path, *, length: int) -> None:
    """Write both halves, for histories of one length and any number of candidates."""
    history = torch.randint(1, len(model.items.weight), (1, length))
    candidates = torch.randint(1, len(model.items.weight), (1, 20))
    tensors = model.generate(history).weights.tensors
    slots = list(tensors)
    generated = any(
        len(one) > 1 for one in model.generate(history.expand(2, -1)).weights.tensors.values()
    )
    named: Any = {"opset_version": _OPSET, "dynamo": False}
    # The tracer warns of shapes that are constant, as they are meant to be here.
    with warnings.catch_warnings(action="ignore"), unchecked():
        if generated:
            torch.onnx.export(
                _Cloud(model),
                (history,),
                str(folder / CLOUD),
                input_names=["history"],
                output_names=slots,
                **named,
            )
        torch.onnx.export(
            _Device(model, slots),
            (history, candidates, *(tensor[:1] for tensor in tensors.values())),
            str(folder / DEVICE),
            input_names=["history", "candidates", *slots],
            output_names=["scores"],
            dynamic_axes={"candidates": {1: "count"}, "scores": {1: "count"}},
            **named,
        )


def _check(engine: Engine, folder: Path, group: Tensors, *, tolerance: float | None) -> float:
    """Return how far the halves' scores are from those of the model; raise beyond a tolerance."""
    device = _session(folder / DEVICE)
    cloud = _session(folder / CLOUD) if (folder / CLOUD).is_file() else None
    shared = {slot: tensor[None] for slot, tensor in group.items()}
    read = {one.name for one in device.get_inputs()}
    rng, items, apart = np.random.default_rng(0), len(engine.run.items), 0.0
    for length, count in itertools.product((1, 2, 7, 1000), (1, 3, 100)):
        history = engine.window([rng.integers(1, items + 1, length).tolist()])
        candidates = rng.integers(1, items + 1, (1, count))
        weights = shared
        if cloud is not None:
            weights = dict(zip(group, cloud.run(None, {"history": history}), strict=True))
        given = {"history": history, "candidates": candidates, **weights}
        (scores,) = device.run(None, {name: one for name, one in given.items() if name in read})
        apart = max(apart, float(np.abs(scores - engine.score(history, candidates)).max()))
        if tolerance is not None and not apart <= tolerance:
            raise IncompatibleError(
                f"the exported model is off by {apart:.2g} with a history of {length} items; "
                "nothing was written"
            )
    return apart


def _session(path: Path) -> Any:
    """Return a model of ONNX, ready to run."""
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
