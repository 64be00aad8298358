"""A model recorded once for each shape of batch: half the time of a short request, without Python.

The operations of a small model take microseconds, and calling them from Python takes longer. They
are recorded by ``torch.jit.trace`` and then run one after the other outside of the interpreter, so
that the thread which reads requests goes on meanwhile.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int, config
from torch import Tensor

from solidrec.inference.scorer import Compute, HistoryScorer, ModelScorer, evaluating

_TOLERANCE = 1e-5
_SHORTEST = 16
"""The shortest length that is recorded: shorter histories are padded to it."""
_RUNS = 3
"""Calls of a recording before it is used: the first ones optimise it."""


@final
class Traced:
    """Computes what `compute` does, from recordings for 1, 2, 4, ... up to `most` histories.

    Histories are padded to one of these sizes and to a length of 16, 32, ... or `length`, so that
    the result of one depends on the others by this shape alone. More histories than `most` are
    computed as before.
    """

    def __init__(self, compute: Compute, *, length: int, most: int, device: torch.device) -> None:
        self.compute, self.most = compute, most
        self.lengths = sorted({min(each, length) for each in _sizes(_SHORTEST, length)})
        self.recorded = {
            (size, own): _recording(
                compute, torch.ones(size, own, dtype=torch.int64, device=device)
            )
            for size in _sizes(1, most)
            for own in self.lengths
        }

    def __call__(self, history: Int[Tensor, "B L"]) -> Float[Tensor, "B X"]:
        """Return one row for each history."""
        count = len(history)
        if not 0 < count <= self.most:
            return self.compute(history)
        # Padding stands at the end: what every history has there is cut.
        longest = max(1, int((history != 0).sum(1).max()))
        length = next(each for each in self.lengths if each >= longest)
        padded = history.new_zeros(_next(count), length)
        padded[:count, : history.shape[1]] = history[:, :length]
        return self.recorded[len(padded), length](padded)[:count]


def trace(scorer: HistoryScorer, *, length: int, items: int, most: int) -> bool:
    """Let a scorer compute by recordings from now on; return whether it does.

    A model whose recordings differ from it by more than 1e-5, of one or of the value, on random
    histories, or that cannot be recorded, stays as it is. Its parameters no longer keep gradients.
    """
    if isinstance(scorer, ModelScorer) and not scorer.keeps_vectors:
        return False  # a user has one state a candidate
    scorer.model.requires_grad_(False)
    return scorer.record(partial(_traced, scorer, length=length, items=items, most=most))


def _traced(
    scorer: HistoryScorer, compute: Compute, *, length: int, items: int, most: int
) -> Compute:
    """Return `compute` by recordings, or itself if it cannot be recorded or they differ."""
    with evaluating(scorer.model), warnings.catch_warnings(action="ignore"):
        try:
            rows = min(most, scorer.block(length))
            traced = Traced(compute, length=length, most=rows, device=scorer.device)
            for history in _histories(traced, scorer, items=items):
                for _ in range(_RUNS):
                    found = traced(history)
                if not _alike(found, compute(history)):
                    return compute
        except RuntimeError:  # an operation that cannot be recorded
            return compute
    return traced


def _histories(traced: Traced, scorer: HistoryScorer, *, items: int) -> Iterator[Tensor]:
    """Yield random histories of each recorded shape."""
    rng = np.random.default_rng(0)
    for size, own in traced.recorded:
        histories = rng.integers(1, items + 1, (size, own))
        ends = rng.integers(0, own + 1, (size, 1))
        ends[0] = own  # the first is as long as there is room for
        histories[np.arange(own) >= ends] = 0
        yield scorer.tensor(histories)


def _alike(one: Float[Tensor, "B X"], other: Float[Tensor, "B X"]) -> bool:
    """Return whether two results have the same largest values, and the same where both have any."""
    both = one.isfinite() & other.isfinite()
    best = torch.allclose(one.amax(1), other.amax(1), rtol=_TOLERANCE, atol=_TOLERANCE)
    return best and torch.allclose(one[both], other[both], rtol=_TOLERANCE, atol=_TOLERANCE)


def _recording(compute: Compute, example: Int[Tensor, "B L"]) -> Compute:
    """Record the operations on an example of the size."""
    with unchecked():
        made: Compute = torch.jit.trace(compute, (example,), check_trace=False)
    return made


@contextmanager
def unchecked() -> Iterator[None]:
    """Check no shapes in signatures meanwhile: while recording, a size is a tensor and no int."""
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", before)


def _next(count: int) -> int:
    """Return the power of two that is at least `count`.

    >>> [_next(count) for count in (1, 2, 3, 32)]
    [1, 2, 4, 32]
    """
    return 1 << (count - 1).bit_length()


def _sizes(least: int, most: int) -> list[int]:
    """Return the powers of two from `least` to the one that holds `most`.

    >>> _sizes(1, 5), _sizes(16, 10)
    ([1, 2, 4, 8], [16])
    """
    first, last = least.bit_length() - 1, _next(most).bit_length()
    return [1 << power for power in range(first, max(last, first + 1))]
