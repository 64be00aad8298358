"""What the tests of evaluation share: scorers that need no training."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from solidrec.evaluate.runner import Scorer

Array = npt.NDArray[Any]


def scorer(levels: int) -> Scorer:
    """Return a scorer that looks up a table of `levels` values; few levels make many ties."""
    table = np.random.default_rng(5).integers(levels, size=(97, 1000)) / levels - 0.5

    def score(histories: Array, candidates: Array) -> Array:
        key = (histories.astype(np.int64) * np.arange(1, histories.shape[1] + 1)).sum(1) % 97
        return np.asarray(table[key[:, None], candidates], dtype=np.float32)

    return score


@pytest.fixture(scope="session")
def tied() -> Scorer:
    """A scorer with seven values."""
    return scorer(7)


@pytest.fixture(scope="session")
def untied() -> Scorer:
    """A scorer that gives no two candidates of a row the same score."""
    return scorer(10**6)
