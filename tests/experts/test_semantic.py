"""Transitions between semantic ids against a loop."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from solidrec.experts.semantic import _PRIOR, _REACH, semantic_ratio
from solidrec.experts.transitions import BACKWARD, FADE


def test_the_ratio_is_the_smoothed_share_over_the_share() -> None:
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0, 0], np.cumsum(rng.integers(0, 15, size=20))])
    events = rng.integers(1, 31, size=offsets[-1])
    of_item = np.append(0, np.arange(30) % 5 + 1)
    counted, share = np.zeros((6, 6)), np.zeros(6)
    for begin, end in pairwise(offsets):
        ids = of_item[events[begin:end]]
        for at, one in enumerate(ids):
            share[one] += 1 / len(events)
            for later in range(at + 1, min(at + _REACH, len(ids) - 1) + 1):
                counted[one, ids[later]] += FADE ** (later - at - 1)
                counted[ids[later], one] += BACKWARD * FADE ** (later - at - 1)
    expected = (
        (counted + _PRIOR * share)
        / (counted.sum(1, keepdims=True) + _PRIOR)
        / np.maximum(share, 1e-12)
    )
    found = semantic_ratio(events, offsets, offsets[1:], semantic_of_item=of_item)
    np.testing.assert_allclose(found[1:, 1:], expected[1:, 1:], rtol=1e-5)
    assert not found[0].any()
    assert not found[:, 0].any()
    np.testing.assert_allclose(
        found[1:] @ share, 1, rtol=1e-5
    )  # rows are distributions, seen from the prior
