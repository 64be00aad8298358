"""The head of a mixture against its equation, and what its hidden layer adds."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from solidrec.nn.evidence import EXPERTS, KINDS, Evidence
from solidrec.nn.mixture_head import BUCKETS, START, UNITS, MixtureHead, features
from solidrec.nn.weights import BuiltWeights


@pytest.mark.parametrize("counts", [[[0.0, 2.0, 500.0]], [[0.0, 2.0, 500.0], [90.0, 0.0, 3.0]]])
def test_the_score_is_the_equation(counts: list[list[float]]) -> None:
    """With recency too, which adds a weight; an item's group is that of all its training events."""
    torch.manual_seed(1)
    experts = len(EXPERTS) - 1 + len(counts)
    head = MixtureHead(experts)
    with torch.no_grad():
        for tensor in (head.trust, head.bias, head.out.weight, head.center):
            tensor.normal_()
        head.spread.uniform_(1, 2)
    neural, known = -torch.rand(2, 3), torch.rand(len(KINDS), 2, 3)
    weight, scale, hidden = (
        torch.randn(2, experts),
        torch.randn(2, len(KINDS)),
        torch.randn(2, UNITS),
    )
    weights = BuiltWeights({"mixture": weight, "temperature": scale, "hidden": hidden})
    scores = head(Evidence(neural, known, torch.tensor(counts)[:, None]), weights)
    for user in range(2):
        for item, group in enumerate(
            [0, 1, BUCKETS - 1]
        ):  # by training count: 0, 1-2, ..., 127 and more
            factor = (weight[user] + head.trust[:, group]).exp()
            parts = [neural[user, item]]
            parts += [
                torch.log(1 + known[k, user, item] / scale[user, k].exp())
                for k in range(len(KINDS))
            ]
            found = torch.stack(
                [*parts, *(torch.log(torch.tensor(1 + kind[item])) for kind in counts)]
            )
            units = (
                head.units.weight @ ((found - head.center) / head.spread) + hidden[user]
            ).clamp(min=0)
            expected = head.bias[group] + factor @ found + head.out.weight[0] @ units
            torch.testing.assert_close(scores[user, item], expected)


@pytest.mark.parametrize("at_once", [2, 100])
def test_the_hidden_layer_starts_without_effect_and_standardises_what_counts(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mean 0 and deviation 1 over the kept candidates, whatever the others hold, in any parts."""
    monkeypatch.setattr("solidrec.nn.mixture_head.STANDARDISED", at_once)
    torch.manual_seed(1)
    head, kept = MixtureHead(), torch.rand(9, 5) < 0.7
    evidence = Evidence(
        -9 * torch.rand(9, 5),
        5 * torch.rand(len(KINDS), 9, 5),
        torch.randint(0, 90, (1, 9, 5)).float(),
    )
    weights = BuiltWeights({slot: torch.randn(9, *shape) for slot, shape in head.slots.items()})
    before = head(evidence, weights)
    head.standardise(evidence, kept)
    torch.testing.assert_close(head(evidence, weights), before)
    first = torch.tensor(START["temperature"]).log()[None]
    z = (features(evidence, first).transpose(0, 1)[:, kept].T - head.center) / head.spread
    torch.testing.assert_close(z.mean(0), torch.zeros(len(EXPERTS)), rtol=0, atol=1e-5)
    torch.testing.assert_close(z.std(0, correction=0), torch.ones(len(EXPERTS)))


def test_the_hidden_layer_learns_what_no_sum_can(started: dict[str, Tensor]) -> None:
    """One kind of evidence marks the target, both or neither the others: no sum ranks it first."""
    torch.manual_seed(0)
    known = torch.zeros(len(KINDS), 64, 3)
    known[0, ::2, 0], known[1, 1::2, 0] = 1, 1  # the target, by the one kind or the other
    known[:2, :, 1] = 1
    evidence = Evidence(torch.zeros(64, 3), known, torch.ones(1, 64, 3))
    weights = BuiltWeights(started)
    reached = {}
    for layer in (False, True):
        head = MixtureHead()
        head.standardise(evidence, torch.ones(64, 3, dtype=torch.bool))
        trained = [*head.parameters()] if layer else [head.trust, head.bias]
        optimizer = torch.optim.Adam(trained, lr=0.05)
        for _ in range(200):
            optimizer.zero_grad()
            F.cross_entropy(head(evidence, weights), torch.zeros(64, dtype=torch.int64)).backward()
            optimizer.step()
        reached[layer] = float((head(evidence, weights).argmax(1) == 0).float().mean())
    assert reached[True] == 1
    assert reached[False] < 0.6


def test_blocks_of_any_size_score_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    head = MixtureHead()
    torch.nn.init.normal_(head.out.weight)
    evidence = Evidence(-torch.rand(5, 4), torch.rand(len(KINDS), 5, 4), torch.rand(1, 1, 4))
    weights = BuiltWeights({slot: torch.randn(5, *shape) for slot, shape in head.slots.items()})
    whole = head(evidence, weights)
    monkeypatch.setattr("solidrec.nn.mixture_head.CELLS", 8)
    torch.testing.assert_close(head(evidence, weights), whole)
    shared = BuiltWeights({slot: tensor[:1] for slot, tensor in weights.tensors.items()})
    torch.testing.assert_close(head(evidence, shared)[0], whole[0])
    assert head(evidence.rows(slice(0, 0)), shared).shape == (0, 4)
