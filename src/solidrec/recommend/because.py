"""Why an item was recommended: the experts and the events that put it there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from solidrec.arrays import Array
from solidrec.inference.scorer import evaluating
from solidrec.nn.evidence import EXPERTS, RECENT
from solidrec.nn.mixture import Mixture
from solidrec.recommend.engine import Engine

_EVENTS = 3
"""Events that are named for an item, those that raise it most."""


def reasons(engine: Engine, history: Sequence[str], items: Sequence[str]) -> list[dict[str, Any]]:
    """Return why each of the `items` is recommended for a history of raw ids.

    ``events`` are at most three of the history without which the item would stand lower, by how
    much lower: its score above that of the mean item, less the same without the event. ``experts``,
    of a mixture, is what each of them adds to this standing (the nonlinear term of its head adds
    the rest). Of an item that the model does not know, or without a known history, nothing is said.
    """
    known = engine.run.items.known(history)[0][-engine.run.spec.model.history_length :]
    columns = [engine.run.items.index(item) - 1 for item in items]
    if not known:
        return [{"events": []} for _ in items]
    moved = _without_each(engine, known)
    experts = _experts(engine, known)
    found: list[dict[str, Any]] = []
    for column in columns:
        if column < 0:
            found.append({"events": []})
            continue
        effects = moved[:, column]
        best = [n for n in np.argsort(-effects, kind="stable")[:_EVENTS] if effects[n] > 0]
        events = [
            {
                "item": engine.run.items.id(known[n]),
                "title": engine.titles[known[n] - 1],
                "raises": float(effects[n]),
            }
            for n in best
        ]
        own = {name: float(part[column]) for name, part in experts.items()}
        found.append({"events": events} | ({"experts": own} if own else {}))
    return found


def _without_each(engine: Engine, known: list[int]) -> Array:
    """Return by how much each event of a history raises each item, (n, V)."""
    histories = [known, *(known[:n] + known[n + 1 :] for n in range(len(known)))]
    scores = engine.score(engine.window(histories), engine.everything)
    standing = scores - scores.mean(1, keepdims=True)
    return np.asarray(standing[0] - standing[1:])


def _experts(engine: Engine, known: list[int]) -> dict[str, Array]:
    """Return what each expert of a mixture adds to the standing of each item (V,)."""
    model = engine.run.model
    if not isinstance(model, Mixture):
        return {}
    with evaluating(model):
        history = engine.score.tensor(engine.window([known]))
        evidence = model.experts(history)
        weights = model.read(history, evidence).weights
        parts = model.head.contributions(evidence, weights)[0].cpu().numpy()
    names = EXPERTS if len(parts) == len(EXPERTS) else (*EXPERTS, RECENT)
    return dict(zip(names, parts - parts.mean(1, keepdims=True), strict=True))
