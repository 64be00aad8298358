from __future__ import annotations

from math import exp, log

import pytest
import torch

from solidrec.batch import Batch, Scores
from solidrec.training.losses import click_loss


def test_it_is_the_mean_cross_entropy_plus_lambda_times_the_penalty() -> None:
    history = torch.tensor([[1, 2]])
    batch = Batch(history, torch.tensor([[3, 4]]), torch.tensor([[1.0, 0.0]]))
    scores = Scores(torch.tensor([[2.0, -1.0]]), torch.tensor(5.0), {})
    entropy = (log(1 + exp(-2)) + log(1 + exp(-1))) / 2
    assert float(click_loss(scores, batch, 0.1)) == pytest.approx(entropy + 0.1 * 5)
    assert float(click_loss(scores, batch, 0.0)) == pytest.approx(entropy)
