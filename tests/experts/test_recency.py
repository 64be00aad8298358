"""What counts as popular at the end of training."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.data.prepared import PreparedData
from solidrec.experts.recency import _HALF, recency


def test_an_event_counts_half_once_a_fiftieth_of_all_is_later(timed: PreparedData) -> None:
    """Checked event by event, those at the same time alike, and nothing of validation and test."""
    data = timed
    events = [
        p for a, b in zip(data.offsets[:-1], data.train_end, strict=True) for p in range(a, b)
    ]
    expected = np.zeros(len(data.items) + 1)
    for p in events:
        later = sum(data.event_times[q] > data.event_times[p] for q in events) / len(events)
        expected[data.event_items[p]] += 2 ** (-later / _HALF)
    assert recency(data) == pytest.approx(expected, rel=1e-5)
    assert expected.sum() > 1
