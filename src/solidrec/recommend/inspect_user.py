"""What a model makes of one history: its weights, what it reads, and which event counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from solidrec.inference.scorer import evaluating
from solidrec.nn.codebook import Codebook
from solidrec.nn.evidence import EXPERTS, RECENT
from solidrec.nn.histories import Histories
from solidrec.nn.mixture import Mixture
from solidrec.nn.sources import TrunkAndBranch
from solidrec.nn.weights import Weights
from solidrec.rank_overlap import rank_biased_overlap
from solidrec.recommend.engine import Engine

_PLACES = 10


def inspected(engine: Engine, history: Sequence[str]) -> dict[str, Any]:
    """Return what the model makes of a history of raw ids, as plain values.

    ``events``: each event that is read, with its semantic ids (what the trunk reads), its code, and
    how much the first ten would change without it (1 less their rank-biased overlap).
    ``mixture``: of a mixture, the weight of each expert for this user and for all users.
    ``branch``: how far the branch moves the weights, as a share of their length. A part that the
    model does not have is left out.
    """
    run = engine.run
    known = run.items.known(history)[0][-run.spec.model.history_length :]
    if not known:
        return {"events": []}
    ids = None if run.semantics is None else run.semantics.table
    events: list[dict[str, Any]] = []
    for item, changed in zip(known, _changes(engine, known), strict=True):
        event = {"item": run.items.id(item), "title": engine.titles[item - 1], "changes": changed}
        if ids is not None:
            event["semantic_ids"] = ids[item].reshape(-1).tolist()
        events.append(event)
    model: Any = run.model
    with evaluating(model):
        ids_of = engine.score.tensor(engine.window([known]))
        histories = Histories.of(ids_of, model.items(ids_of))
        codebook = dict(model.parts()).get("codebook")
        if isinstance(codebook, Codebook):
            for event, code in zip(events, codebook(histories).indices[0].tolist(), strict=False):
                event["code"] = code
        found: dict[str, Any] = {"events": events}
        if isinstance(model, Mixture):
            found["mixture"] = _weights(model, ids_of)
        moved = [
            _moved(part, histories) for part in model.modules() if isinstance(part, TrunkAndBranch)
        ]
        if moved:
            found["branch"] = moved[0]
    return found


def _changes(engine: Engine, known: list[int]) -> list[float]:
    """Return how much the first ten would change without each event, from 0 to 1."""
    histories = [known, *(known[:n] + known[n + 1 :] for n in range(len(known)))]
    answers = engine.ranked(histories, _PLACES, keep_history=True)
    whole, *others = ([one["item"] for one in answer] for answer in answers)
    return [1 - rank_biased_overlap(whole, other) for other in others]


def _weights(model: Mixture, history: Tensor) -> dict[str, dict[str, float]]:
    """Return the weight of each expert for a user, and for all users."""
    mine, all_of_them = (
        generated.weights.tensors["mixture"][0].exp().tolist()
        for generated in (
            model.generate(history),
            model.shared(Histories.of(history, model.items(history))),
        )
    )
    names = EXPERTS if len(mine) == len(EXPERTS) else (*EXPERTS, RECENT)
    return {
        name: {"user": one, "everybody": other}
        for name, one, other in zip(names, mine, all_of_them, strict=True)
    }


def _moved(source: Any, histories: Histories) -> float:
    """Return the length of the branch's weights over that of the trunk's."""
    trunk, branch = (_length(part(histories).weights) for part in (source.trunk, source.branch))
    return branch / max(trunk, 1e-12)


def _length(weights: Weights) -> float:
    """Return the Euclidean length of all weights of the first user."""
    return float(torch.cat([tensor[0].flatten() for tensor in weights.tensors.values()]).norm())
