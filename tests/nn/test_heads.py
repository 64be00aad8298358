"""Heads compute their two layers from what a source filled in, and own what they say they own."""

from __future__ import annotations

import pytest
import torch

from solidrec.nn.heads import FullHead, LowRankHead
from solidrec.nn.weights import BuiltWeights

D, K = 4, 3


@pytest.mark.parametrize("states", [1, 5])
@pytest.mark.parametrize("sets", [1, 2])
def test_full_head_is_two_layers_with_each_users_own_weights(states: int, sets: int) -> None:
    """relu(x W0 + b0) W1 + b1: weights for each user or for all, a state a user or a candidate."""
    torch.manual_seed(0)
    head = FullHead(D)
    assert dict(head.slots) == {"weight0": (D, D), "bias0": (D,), "weight1": (D, D), "bias1": (D,)}
    assert list(head.parameters()) == []
    w = {slot: torch.randn(sets, *shape) for slot, shape in head.slots.items()}
    x = torch.randn(2, states, D)
    got = head(x, BuiltWeights(w))
    for user in range(2):
        own = {slot: tensor[user % sets] for slot, tensor in w.items()}
        for state in range(states):
            expected = (
                torch.relu(x[user, state] @ own["weight0"] + own["bias0"]) @ own["weight1"]
                + own["bias1"]
            )
            torch.testing.assert_close(got[user, state], expected)


@pytest.mark.parametrize("states", [1, 5])
@pytest.mark.parametrize("sets", [1, 2])
def test_low_rank_head_is_its_built_matrices(states: int, sets: int) -> None:
    """x (U S V) + b: the K x K core is the user's, the rest is shared and learned."""
    torch.manual_seed(0)
    head = LowRankHead(D, K)
    assert dict(head.slots) == {"core0": (K, K), "core1": (K, K)}
    assert sum(parameter.numel() for parameter in head.parameters()) == 2 * (D * K + K * D + D)
    w = {slot: torch.randn(sets, K, K) for slot in head.slots}
    x = torch.randn(2, states, D)
    got = head(x, BuiltWeights(w))
    for user in range(2):
        first, second = (
            head.left[i] @ w[f"core{i}"][user % sets] @ head.right[i] for i in range(2)
        )
        expected = torch.relu(x[user] @ first + head.bias[0]) @ second + head.bias[1]
        torch.testing.assert_close(got[user], expected)


def test_a_missing_slot_is_noticed() -> None:
    with pytest.raises(KeyError, match="bias0"):
        FullHead(D)(torch.zeros(1, 1, D), BuiltWeights({"weight0": torch.zeros(1, D, D)}))
