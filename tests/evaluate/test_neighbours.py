"""Neighbourhood scorers: the answer of each kind, and a weight chosen on validation users alone."""

from __future__ import annotations

import numpy as np

from solidrec.data.prepared import PreparedData
from solidrec.evaluate.neighbours import (
    _CONTENTS,
    _SCALES,
    Neighbours,
    _content_knn,
    _forward_knn,
    _knn_content,
    _symmetric_knn,
)
from solidrec.evaluate.runner import evaluate
from solidrec.experts.alike import content_of
from solidrec.experts.transitions import transitions

HISTORY = np.array([[3, 9, 0], [0, 0, 0]])


def test_each_kind_is_the_log_of_the_decayed_sum(data: PreparedData) -> None:
    catalogue = np.arange(1, len(data.items) + 1)[None]
    forward, symmetric = transitions(
        data.event_items, data.offsets, data.train_end, items=len(data.items)
    )
    tables = [forward.toarray(), symmetric.toarray(), content_of(data).toarray()]
    scorers = [(_forward_knn, 0.5), (_symmetric_knn, 0.8), (_content_knn, 0.5)]
    for kind, ((make, decay), table) in enumerate(zip(scorers, tables, strict=True)):
        expected = np.log1p((table[8] + decay * table[2]) / _SCALES[kind])
        found = make(data)(HISTORY, catalogue)
        np.testing.assert_allclose(found[0], expected, rtol=1e-4, atol=1e-6)
        assert not found[1].any()


def test_padding_scores_nothing(data: PreparedData) -> None:
    assert _forward_knn(data)(HISTORY, np.array([[0, 3, 0]]))[:, [0, 2]].tolist() == [
        [0, 0],
        [0, 0],
    ]


def test_the_weight_is_the_best_on_validation(data: PreparedData) -> None:
    chosen = _knn_content(data)
    assert isinstance(chosen, Neighbours)

    def judged(weights: tuple[float, ...]) -> float:
        other = Neighbours(chosen.memories, chosen.scales, weights)
        return (
            evaluate(other, data, split="valid", protocol="full", length=50).metrics["NDCG@10"] or 0
        )

    tried = {
        (*log, weight): judged((*log, weight))
        for log in ((1.0, 0.0), (0.0, 1.0))
        for weight in _CONTENTS
    }
    assert tried[chosen.weights] == max(tried.values())
