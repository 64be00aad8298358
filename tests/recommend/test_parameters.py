"""The weights of one user are those that the model generates, and not another user's."""

from __future__ import annotations

import numpy as np
import torch

from solidrec.api import Model
from solidrec.recommend.parameters import generated


def test_weights_score_as_the_model_does(shop: Model) -> None:
    weights = generated(shop.engine, ["i03", "unknown", "i09"])
    model = shop.run.model
    history = torch.from_numpy(shop.engine.window([[4, 10]]))
    with torch.no_grad():
        expected = model.generate(history).weights.tensors
    assert weights.keys() == expected.keys()
    for slot, array in weights.items():
        np.testing.assert_array_equal(array, expected[slot][0].numpy())
    other = generated(shop.engine, ["i30", "i35"])
    assert any(not np.array_equal(weights[slot], other[slot]) for slot in weights)
