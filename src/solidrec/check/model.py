"""Checks of a model: padding is invisible, users and candidates are independent, prefixes agree."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from solidrec.check.subject import Subject, Verdict
from solidrec.nn.masks import valid
from solidrec.nn.recommender import Recommender

_SAME = 1e-8
"""Tolerance of two orders of summation in double precision, relative to the largest number."""
_SATURATED = 0.99


def _parts(model: Recommender, history: Tensor, candidates: Tensor) -> dict[str, Tensor]:
    """Return a model's intermediate results by names for messages, with one row per history."""
    backbone = f"the user state of {type(model.backbone).__name__}"
    state = model.backbone(model.items(history), valid(history), model.items(candidates))
    generated = model.generate(history).weights.tensors
    source = type(model.source).__name__
    weights = {
        f"generated tensor {slot!r} of {source}": tensor.expand(len(history), *tensor.shape[1:])
        for slot, tensor in generated.items()
    }
    return {backbone: state, **weights, "the logits": model(history, candidates).logits}


def _distance(found: Tensor, expected: Tensor) -> float:
    """Return the largest difference over the largest expected number; infinite if not finite."""
    if not bool(torch.isfinite(found).all() and torch.isfinite(expected).all()):
        return float("inf")
    return float((found - expected).abs().amax() / expected.abs().amax().clamp(min=1e-30))


def _first_difference(found: dict[str, Tensor], expected: dict[str, Tensor]) -> str | None:
    """Return the name of the first part that differs, or None."""
    return next(
        (name for name, tensor in found.items() if _distance(tensor, expected[name]) > _SAME), None
    )


@torch.no_grad()
def padding(subject: Subject) -> Verdict:
    """Check that neither the width of the padding nor its embedding changes a result."""
    model, (history, candidates) = subject.precise, subject.sample
    promise = "padding is invisible"
    cure = "read positions through the mask (nn/masks.py): histories are padded with 0 on the right"
    expected = _parts(model, history, candidates)
    empty = history[:1]
    if not bool(torch.isfinite(model(empty, candidates[:1]).logits).all()):
        cause = "the logits of an empty history are not finite"
        finite = "let an empty history have a finite state (`masks.last_valid`)"
        return Verdict(promise, "an empty history", cause, finite)
    lengths = valid(history).sum(1)
    for size in lengths.unique().tolist():
        rows = lengths == size
        cut = _parts(model, history[rows, : max(size, 1)], candidates[rows])
        if name := _first_difference(cut, {key: tensor[rows] for key, tensor in expected.items()}):
            empty_places = f"{history.shape[1] - size} places of padding"
            measured = f"histories of {size} items with and without {empty_places}"
            return Verdict(promise, measured, f"{name} changes with the width of the padding", cure)
    written = _parts(_with_padding_written(model), history, candidates)
    if name := _first_difference(written, expected):
        measured = "other numbers in the embedding of padding"
        return Verdict(promise, measured, f"{name} reads the embedding of padding", cure)
    measured = (
        f"same logits for 0 to {history.shape[1]} items with and without padding, whatever its "
        "embedding; empty is finite"
    )
    return Verdict(promise, measured)


def _with_padding_written(model: Recommender) -> Recommender:
    """Return a copy of the model in which the embeddings of padding are 1 instead of 0."""
    model = copy.deepcopy(model)
    for table in model.modules():
        if isinstance(table, torch.nn.Embedding) and table.padding_idx is not None:
            table.weight[table.padding_idx] = 1
    return model


@torch.no_grad()
def independence(subject: Subject) -> Verdict:
    """Check that a user or a candidate scored alone has the same logits as in a batch."""
    model, (history, candidates) = subject.precise, subject.sample
    promise = "users and candidates do not see each other"
    count = candidates.shape[1]
    expected = _parts(model, history, candidates)
    for row in range(len(history)):
        one = slice(row, row + 1)
        alone = _parts(model, history[one], candidates[one])
        if name := _first_difference(alone, {key: tensor[one] for key, tensor in expected.items()}):
            cause = f"{name} depends on the other users of the batch"
            cure = "use no statistics over a batch, such as BatchNorm or a mean over rows"
            return Verdict(promise, f"user {row + 1} of a batch, alone", cause, cure)
    backbone, targets = model.backbone, model.items(candidates)
    states = backbone(model.items(history), valid(history), targets).shape[1]
    if (states > 1) != backbone.reads_candidates:
        cause = f"{type(backbone).__name__}.reads_candidates is {backbone.reads_candidates}"
        cure = (
            "set it to True in a backbone that has a user state for each candidate, and in no other"
        )
        return Verdict(promise, f"{count} candidates have {states} user states", cause, cure)
    single = torch.cat(
        [model(history, candidates[:, [column]]).logits for column in range(count)], 1
    )
    if _distance(single, expected["the logits"]) > _SAME:
        cause = "the logits of a candidate depend on the other candidates"
        cure = "let a backbone mix each candidate with the history alone"
        return Verdict(promise, f"each of {count} candidates, alone", cause, cure)
    return Verdict(promise, f"{len(history)} users and {count} candidates: alone as in company")


@torch.no_grad()
def prefixes(subject: Subject) -> Verdict | None:
    """Check that one pass gives every prefix the logits it has alone; None without such a pass.

    Training uses the one pass, inference the prefix alone.
    """
    model, (history, candidates) = subject.precise, subject.sample
    if not model.reads_prefixes:
        return None
    # Every valid position (row, column) ends one prefix; row * L + column is its index in B L.
    rows, columns = torch.nonzero(valid(history), as_tuple=True)
    together = model(history, candidates[rows], rows * history.shape[1] + columns).logits
    # The same prefixes as histories of their own: everything behind the end is padding.
    prefix = history[rows] * (torch.arange(history.shape[1]) <= columns[:, None])
    alone = model(prefix, candidates[rows]).logits
    promise = "one pass says of every prefix what the prefix alone says"
    if _distance(together, alone) > _SAME:
        reads = f"{type(model.backbone).__name__} or {type(model.source).__name__} reads the future"
        cause = f"a prefix's logits change with the items behind it: {reads}"
        cure = "read from left to right alone, or do not be a CausalBackbone"
        return Verdict(promise, f"{len(rows)} prefixes", cause, cure)
    return Verdict(promise, f"{len(rows)} prefixes: the same logits")


@torch.no_grad()
def clip(subject: Subject) -> Verdict | None:
    """Report the share of the branch's weights at the clip T of Eq. 12; None without a clip."""
    saturated = subject.model.generate(subject.sample.history).stats.get("saturated")
    if saturated is None:
        return None
    share, limit = float(saturated), subject.spec.model.clip
    promise = "the branch works inside its clip"
    measured = f"{share:.1%} of its weights stand at model.clip={limit:g}"
    if share <= _SATURATED:
        return Verdict(promise, measured)
    everywhere = "the branch says one of two numbers nearly everywhere"
    cause = f"{everywhere}: it is cut off at model.clip={limit:g}"
    cure = "raise model.clip, or lower train.learning_rate"
    return Verdict(promise, measured, cause, cure, warns=True)


def unregistered(model: torch.nn.Module) -> Iterator[str]:
    """Yield the attributes that hold tensors or layers outside of parameters() and state_dict()."""
    known = {id(one) for one in (*model.parameters(), *model.buffers(), *model.modules())}
    for name, module in model.named_modules():
        for key, value in vars(module).items():
            if key in ("_parameters", "_buffers", "_modules"):
                continue
            held = list(value.values()) if isinstance(value, dict) else value
            if not isinstance(held, list | tuple):
                held = [held]
            if count := sum(
                isinstance(one, torch.Tensor | torch.nn.Module) and id(one) not in known
                for one in held
            ):
                where = f"{name}.{key}" if name else key
                yield f"{where} ({count} tensors or layers in a {type(value).__name__})"


def unsaved(model: torch.nn.Module) -> list[str]:
    """Return the names of what `unregistered` finds and of buffers that are not persistent."""
    saved = set(model.state_dict())
    return [*unregistered(model), *(name for name, _ in model.named_buffers() if name not in saved)]
