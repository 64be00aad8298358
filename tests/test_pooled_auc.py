"""The pooled AUC against a count of pairs and scikit-learn, in chunks of any size."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import roc_auc_score

from solidrec import pooled_auc as module
from solidrec.pooled_auc import PooledAuc, _pooled_auc

steady = settings(
    deadline=None, derandomize=True
)  # the same examples on every run, however busy the machine

TIED = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0])  # few values, so that most rows have ties


def tied_rows(shape):
    return arrays.arrays(np.float64, shape, elements=TIED)


@steady
@given(tied_rows(30), arrays.arrays(np.int8, 30, elements=st.integers(0, 1)), st.integers(1, 30))
def test_pooled_auc_is_exact_in_any_chunks(scores, labels, chunk):
    positives, negatives = scores[labels == 1], scores[labels == 0]
    pooled = PooledAuc(positives)
    for start in range(0, len(negatives), chunk):
        pooled.add(negatives[start : start + chunk])
    if not 0 < labels.sum() < 30:
        assert math.isnan(pooled.value())
        assert math.isnan(_pooled_auc(scores, labels))
        return
    pairs = [(p > n) + (p == n) / 2 for p in positives for n in negatives]
    assert pooled.value() == _pooled_auc(scores, labels) == sum(pairs) / len(pairs)


def test_pooled_auc_against_scikit_learn():
    rng = np.random.default_rng(0)
    scores, labels = (
        rng.integers(0, 500, (200, 30)).astype(np.float32),
        rng.integers(0, 2, (200, 30)),
    )
    assert _pooled_auc(scores, labels) == pytest.approx(
        roc_auc_score(labels.ravel(), scores.ravel())
    )


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("spread", ["even", "one far off", "all equal"])
def test_pooled_auc_is_a_count_of_pairs_however_the_positives_lie(scale, spread, monkeypatch):
    monkeypatch.setattr(module, "_PIECE", 50)  # several pieces a chunk
    monkeypatch.setattr(module, "_WAITING", 40)  # and several searches
    rng = np.random.default_rng(0)
    positives = (rng.normal(size=30) * scale).astype(np.float32)
    if spread == "one far off":
        positives[3] = np.float32(1e8 * scale)
    if spread == "all equal":
        positives[:] = positives[0]
    negatives = np.concatenate(
        [
            (rng.normal(size=700) * scale).astype(np.float32),
            positives,
            -positives,
            [0, -0.0, 3e38, -3e38],
        ]
    )
    halves = sum(int(2 * (positives > n).sum() + (positives == n).sum()) for n in negatives)
    for kind in (np.float32, np.float64):
        pooled = PooledAuc(positives)
        for chunk in np.array_split(rng.permutation(negatives).astype(kind), 3):
            pooled.add(np.append(chunk, [-np.inf] * 5))  # five that are no negatives
        assert pooled.value() == halves / (2 * len(positives) * len(negatives))


def test_pooled_auc_takes_linear_time_and_bounded_memory_for_many_positives():
    rng = np.random.default_rng(0)
    pooled = PooledAuc(rng.normal(size=200_000).astype(np.float32))
    chunk = rng.normal(size=100_000).astype(np.float32)
    start = time.process_time()
    for _ in range(50):
        pooled.add(chunk)
        assert sum(map(len, pooled._waiting)) <= 16 * 200_000
    pooled.value()
    assert (
        time.process_time() - start < 0.4
    )  # .05 s on a quiet core; to search all positives in each chunk takes .5 s
