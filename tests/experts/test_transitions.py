"""The transition memories against a loop over pairs of events."""

from __future__ import annotations

import numpy as np

from solidrec.experts.transitions import _REACH, BACKWARD, FADE, transitions


def log(
    *, users: int = 30, items: int = 12, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Events of random users, with repeats; the last two of each are not for training."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 45, size=users)
    offsets = np.concatenate([[0, 0], np.cumsum(lengths)])
    events = rng.integers(1, items + 1, size=offsets[-1]).astype(np.int32)
    return events, offsets, np.maximum(offsets[1:] - 2, offsets[:-1])


def by_hand(
    events: np.ndarray, offsets: np.ndarray, ends: np.ndarray, items: int
) -> tuple[np.ndarray, np.ndarray]:
    forward, symmetric, counts = np.zeros((items, items)), np.zeros((items, items)), np.zeros(items)
    for begin, end in zip(offsets[:-1], ends, strict=True):
        history = events[begin:end] - 1
        for at, item in enumerate(history):
            counts[item] += 1
            for later in range(at + 1, min(at + _REACH, len(history) - 1) + 1):
                forward[item, history[later]] += FADE ** (later - at - 1)
                forward[history[later], item] += BACKWARD * FADE ** (later - at - 1)
                symmetric[item, history[later]] += 1
                symmetric[history[later], item] += 1
    scale = np.maximum(counts, 1)[:, None] ** -0.5 * np.maximum(counts, 1)[None] ** -0.3
    for table in (forward, symmetric):
        np.fill_diagonal(table, 0)
    return forward * scale, symmetric * scale


def test_both_memories_are_the_sums_over_pairs() -> None:
    events, offsets, ends = log()
    for found, expected in zip(
        transitions(events, offsets, ends, items=12),
        by_hand(events, offsets, ends, 12),
        strict=True,
    ):
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-9)


def test_events_after_training_say_nothing() -> None:
    events, offsets, ends = log()
    other = events.copy()
    for begin, end in zip(ends, offsets[1:], strict=True):
        other[begin:end] = 1
    assert (events != other).any()
    for one, two in zip(
        transitions(events, offsets, ends, items=12),
        transitions(other, offsets, ends, items=12),
        strict=True,
    ):
        assert (one != two).nnz == 0


def test_no_events_are_an_empty_memory() -> None:
    empty = np.zeros(0, dtype=np.int32)
    for found in transitions(
        empty, np.zeros(3, dtype=np.int64), np.zeros(2, dtype=np.int64), items=5
    ):
        assert found.shape == (5, 5)
        assert found.nnz == 0
