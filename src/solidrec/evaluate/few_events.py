"""Evaluation of users with few known events, by the whole model and by its trunk alone."""

from __future__ import annotations

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.result import Evaluation
from solidrec.evaluate.runner import evaluate
from solidrec.inference.mixture_scorer import scorer_of
from solidrec.nn.mixture import Mixture
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import TrunkAndBranch

_EVENTS = (1, 2, 3, 5, 10)
METRICS = ("UAUC", "NDCG@10")
WHOLE, TRUNK = "whole", "trunk alone"


def few_events(
    model: Recommender | Mixture, data: PreparedData, *, length: int
) -> dict[str, dict[int, Evaluation]]:
    """Rank every test target from the last 1, 2, 3, 5 and 10 events before it, `length` at most.

    Returns an evaluation under protocol *paper* by variant (`WHOLE` and, if the model has one,
    `TRUNK`) and number of events.
    """
    variants = {WHOLE: model, TRUNK: trunk_alone(model)}
    return {
        name: {
            events: evaluate(scorer_of(variant), data, length=events)
            for events in _EVENTS
            if events <= length
        }
        for name, variant in variants.items()
        if variant is not None
    }


def trunk_alone(model: Recommender | Mixture) -> Recommender | None:
    """Return the trunk alone (Eq. 11) as a model with shared parts; None if there is no trunk."""
    if isinstance(model, Mixture) or not isinstance(model.source, TrunkAndBranch):
        return None
    return Recommender(
        model.items, backbone=model.backbone, head=model.head, source=model.source.trunk
    ).train(model.training)
