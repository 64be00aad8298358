from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import log_loss as sklearn_log_loss

from solidrec.log_loss import log_loss, target_loss


def test_log_loss_against_scikit_learn_and_at_extremes():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(0, 3, (20, 5)), rng.integers(0, 2, (20, 5))
    expected = [
        sklearn_log_loss(y, 1 / (1 + np.exp(-x)), labels=[0, 1])
        for y, x in zip(labels, logits, strict=True)
    ]
    assert log_loss(logits, labels) == pytest.approx(expected)
    assert log_loss(
        np.array([[800.0, -800.0], [800.0, -800.0]]), np.array([[1, 0], [0, 1]])
    ).tolist() == [0, 800]
    assert log_loss(np.zeros((1, 5), dtype=np.float32), np.eye(1, 5))[0] == pytest.approx(
        math.log(2)
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("levels", [1, 3, 10**6])
def test_target_losses_are_those_of_plain_loops(kind, levels):
    rng = np.random.default_rng(levels)
    scores = ((rng.integers(levels, size=(40, 60)) / levels - 0.5) * 40).astype(kind)
    mask, columns = rng.random(scores.shape) < 0.6, rng.integers(60, size=40)
    mask[np.arange(40), columns] = True
    low = np.where(mask, scores, -np.inf).astype(kind)
    losses = target_loss(low, columns, mask.sum(1))
    for row, column, loss, kept in zip(
        scores.astype(np.float64), columns, losses, mask, strict=True
    ):
        each = [
            math.log1p(math.exp(-abs(x))) + max(x, 0) - x * (at == column)
            for at, x in enumerate(row)
            if kept[at]
        ]
        assert loss == pytest.approx(sum(each) / len(each), rel=1e-5, abs=1e-6)
