"""Checks that a model trained again, resumed, reloaded or exported is the same model."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, final

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor

from solidrec.check.learning import few
from solidrec.check.model import unsaved
from solidrec.check.subject import Subject, Verdict
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.nn.build import stages
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender
from solidrec.nn.weights import BuiltWeights
from solidrec.recommend.engine import Engine

_CLOSE = 1e-4
"""Tolerance of two orders of summation in single precision, relative to the largest logit."""
_K = 10
_ANSWERS = 8


def _unequal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> list[str]:
    """Return the names of the tensors that differ in any bit or exist on one side only."""
    return [
        name
        for name in {**expected, **found}
        if name not in found or name not in expected or not torch.equal(found[name], expected[name])
    ]


def repeatable(subject: Subject) -> Verdict:
    """Check that a second training ends with the same tensors, bit for bit."""
    promise, measured = "same seed, same bytes", f"two trainings of {_epochs(subject)}"
    again = subject.train("again").last
    if different := _unequal(again, subject.training.last):
        cause = f"the second training ends with another {few(different)}"
        cure = (
            "draw from torch's generator, which every step seeds, and from no other; keep nothing "
            "from call to call"
        )
        return Verdict(promise, measured, cause, cure)
    same = f"{len(again)} tensors of weights and optimizer, bit for bit"
    return Verdict(promise, f"{measured}: {same}")


def resume(subject: Subject) -> Verdict:
    """Check that a training stopped after the first epoch of each stage resumes bit for bit."""
    promise, measured = (
        "resumed as if never stopped",
        f"{_epochs(subject)}, stopped after the first",
    )
    for _ in range(stages(subject.spec.model)):
        with suppress(_Stopped):
            subject.train("resumed", _StopAfterEpoch())
    resumed = subject.train("resumed").last
    if different := _unequal(resumed, subject.training.last):
        cause = f"after a stop training ends with another {few(different)}"
        cure = (
            "keep what training changes in parameters or registered buffers, which checkpoints hold"
            " (if 'repeatable' is red too, start there)"
        )
        return Verdict(promise, measured, cause, cure)
    return Verdict(promise, f"{measured}: {len(resumed)} tensors, bit for bit")


def _epochs(subject: Subject) -> str:
    """Return the length of a short training in words."""
    each = " of each stage" if stages(subject.spec.model) > 1 else ""
    return f"{subject.spec.train.epochs} epochs{each}"


class _Stopped(Exception):
    """Raised by `_StopAfterEpoch` to stop training."""


@final
class _StopAfterEpoch:
    """A display that stops training at the first step after the first epoch of a stage."""

    def __init__(self) -> None:
        self.over = False

    def stage(self, stage: int, epochs: int, steps: int) -> None:
        """Ignore the start of a stage."""

    def step(self) -> None:
        """Stop once the first epoch is over."""
        if self.over:
            raise _Stopped

    def epoch(self, row: dict[str, Any]) -> None:
        """Remember whether the first epoch is over."""
        self.over = row["epoch"] == 1

    def done(self, row: dict[str, Any]) -> None:
        """Ignore the end of a stage."""


def reload(subject: Subject) -> Verdict:
    """Check that the model saved as a run and loaded has the same tensors and scores."""
    promise, loaded, model = "reloaded as it was", subject.loaded, subject.model
    if different := _unequal(loaded.model.state_dict(), model.state_dict()):
        cause = f"comes back different: {few(different)}"
        return Verdict(promise, "state_dict", cause, "write it to the run folder (runs.py)")
    history, candidates = (ids.numpy() for ids in subject.sample)
    before, after = (scorer_of(one)(history, candidates) for one in (model, loaded.model))
    if not np.array_equal(before, after):
        outside = few(unsaved(model)) or "a number or an object of Python"
        measured = f"scores differ by up to {np.abs(before - after).max():.2g}"
        cause = (
            "every saved tensor is the same, so the scores depend on something outside "
            f"state_dict(): {outside}"
        )
        cure = "register it with register_buffer, so that it is saved"
        return Verdict(promise, measured, cause, cure)
    tensors = len(model.state_dict())
    return Verdict(promise, f"{before.size} scores and {tensors} tensors, bit for bit")


@torch.no_grad()
def export(subject: Subject) -> Verdict:
    """Check generated weights, vectors and recommendations against the forward pass."""
    promise, model = "exported as it computes", subject.loaded.model
    history, candidates = subject.sample
    logits = model(history, candidates).logits
    reach = float(logits.abs().max()) * _CLOSE
    # The generated weights as they are after being serialized and read again.
    generated = model.generate(history).weights.tensors
    packet = load(save({slot: tensor.contiguous() for slot, tensor in generated.items()}))
    applied = model.score(history, candidates, BuiltWeights(packet))
    if (apart := float((applied - logits).abs().max())) > reach:
        cause = "weights generated apart and applied are not the whole forward pass"
        cure = "let `forward` be `score` with the weights of `generate`, and nothing between them"
        return Verdict(promise, f"logits differ by up to {apart:.2g}", cause, cure)
    engine = Engine(subject.loaded)
    ways = ["the packet of generated weights"]
    names = [[engine.run.items.id(item) for item in row if item] for row in history.tolist()]
    if engine.score.keeps_vectors:
        rows = (candidates.flatten() - 1).numpy()
        vectors = engine.item_vectors()["vector"].gather(rows).to_list()
        users = torch.from_numpy(engine.user_vectors(names))
        products = (users[:, None] * torch.tensor(vectors).view(*candidates.shape, -1)).sum(-1)
        if (apart := float((products - logits).abs().max())) > reach:
            cause = "user vectors . item vectors are not the logits"
            cure = "let the logits be a dot product with the item embeddings and nothing more"
            return Verdict(promise, f"logits differ by up to {apart:.2g}", cause, cure)
        ways.append("item and user vectors")
    # An empty history is answered by popularity, not by the model.
    some = [row for row, known in enumerate(names) if known][:_ANSWERS]
    if wrong := _wrong_answer(engine, model, history[some], [names[row] for row in some], reach):
        cure = "let Engine score with the forward pass of the same model"
        return Verdict(promise, "the engine's answers", wrong, cure)
    return Verdict(
        promise, f"{', '.join([*ways, 'recommendations'])}: the logits of the forward pass"
    )


def _wrong_answer(
    engine: Engine,
    model: Recommender | Mixture,
    history: Tensor,
    names: list[list[str]],
    reach: float,
) -> str | None:
    """Return how the recommendations disagree with the scores of the model, or None."""
    # Random items, of which none may score above the last recommended one.
    drawn = np.random.default_rng(1).integers(1, len(engine.run.items) + 1, size=100)
    some = torch.from_numpy(drawn)
    for row, answer in zip(history, engine.recommend_many(names, _K), strict=True):
        ids = torch.tensor([engine.run.items.index(item["item"]) for item in answer.items])
        scores = torch.tensor([item["score"] for item in answer.items])
        if len(ids) and float((model(row[None], ids[None]).logits[0] - scores).abs().max()) > reach:
            return "a recommended item's score is not the model's"
        others = some[~torch.isin(some, torch.cat([ids, row]))]
        if len(ids) < _K or not len(others):
            continue
        if float(model(row[None], others[None]).logits.max()) > float(scores[-1]) + reach:
            return f"an item with a higher score is missing among the {_K} recommended"
    return None
