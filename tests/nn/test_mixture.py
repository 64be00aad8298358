"""A mixture against its equation, its halves, and what its sources may read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from solidrec.designs import DESIGNS
from solidrec.nn.build import build_mixture, plain
from solidrec.nn.evidence import EXPERTS, KINDS, Evidence
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import (
    BUCKETS,
    CONTENT,
    LOG,
    SEMANTIC,
    START,
    UNITS,
    Counted,
    Mixture,
    MixtureHead,
    features,
)
from solidrec.nn.semantic_memory import SemanticMemory
from solidrec.nn.weights import BuiltWeights
from solidrec.spec import MIXTURE_NAMES, ModelSpec

V, L = 20, 6
OF_ITEM = torch.cat([torch.zeros(1, dtype=torch.int64), torch.arange(V) % 4 + 1])
every_mixture = pytest.mark.parametrize("name", MIXTURE_NAMES)


def table(kinds: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Random rows over a third of all pairs of items."""
    generator = torch.Generator().manual_seed(seed)
    row, column = (torch.rand(V, V, generator=generator) < 0.33).nonzero(as_tuple=True)
    starts = torch.cat(
        [torch.zeros(2, dtype=torch.int64), torch.bincount(row, minlength=V).cumsum(0)]
    )
    return starts, column.int(), torch.rand(len(row), kinds, generator=generator)


def counted() -> Counted:
    ratio = 2 * torch.rand(5, 5, generator=torch.Generator().manual_seed(3))
    memories = (
        Memory(*table(2, 1), LOG),
        Memory(*table(1, 2), CONTENT),
        SemanticMemory(OF_ITEM, ratio, SEMANTIC),
    )
    return Counted(memories, torch.arange(V + 1).float() ** 2)


@pytest.fixture
def mixture() -> Callable[[str], Mixture]:
    def built(name: str) -> Mixture:
        torch.manual_seed(0)
        spec = ModelSpec.parse({"name": name, "dim": 8, "length": L, "dropout": 0.0, "clip": 0.3})
        model = build_mixture(spec, counted(), semantic_of_item=OF_ITEM).eval()
        with torch.no_grad():  # what generates starts at zero
            for key, parameter in model.named_parameters():
                if not key.startswith("experts."):
                    parameter.add_(0.2 * torch.randn(parameter.shape))
        return model

    return built


@pytest.fixture
def histories() -> Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randint(1, V + 1, (7, L), generator=generator) * (
        torch.arange(L) < torch.arange(7)[:, None]
    )


def test_the_two_lists_of_names_are_one() -> None:
    assert set(MIXTURE_NAMES) == {name for name in DESIGNS if DESIGNS[name].is_mixture}
    assert EXPERTS == ("neural", *KINDS, "popularity")
    most = MixtureHead(len(counted()._replace(recent=torch.zeros(V + 1)).experts))
    assert all(len(START[slot]) == most.slots[slot][0] for slot in START)


def test_recency_starts_with_a_weight_of_its_own(histories: Tensor) -> None:
    """And comes last: the model is the one without it, and the weighed log of what is recent."""
    spec = ModelSpec.parse({"name": "mixture-static", "dim": 8, "length": L})
    recent = torch.arange(V + 1).float().flip(0)
    logits = []
    for each in (counted(), counted()._replace(recent=recent)):
        torch.manual_seed(0)
        model = build_mixture(spec, each, semantic_of_item=OF_ITEM).eval()
        with torch.no_grad():
            logits.append(model(histories, torch.arange(1, V + 1)[None]).logits)
    torch.testing.assert_close(
        logits[1], logits[0] + START["mixture"][-1] * torch.log(1 + recent[1:])
    )


def started() -> dict[str, Tensor]:
    """The logs that shared weights start from."""
    return {
        slot: torch.tensor(START[slot][: shape[0]]).log()[None]
        for slot, shape in MixtureHead().slots.items()
    }


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
    monkeypatch.setattr("solidrec.nn.mixture.STANDARDISED", at_once)
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


def test_the_hidden_layer_learns_what_no_sum_can() -> None:
    """One kind of evidence marks the target, both or neither the others: no sum ranks it first."""
    torch.manual_seed(0)
    known = torch.zeros(len(KINDS), 64, 3)
    known[0, ::2, 0], known[1, 1::2, 0] = 1, 1  # the target, by the one kind or the other
    known[:2, :, 1] = 1
    evidence = Evidence(torch.zeros(64, 3), known, torch.ones(1, 64, 3))
    weights = BuiltWeights(started())
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
    monkeypatch.setattr("solidrec.nn.mixture.CELLS", 8)
    torch.testing.assert_close(head(evidence, weights), whole)
    shared = BuiltWeights({slot: tensor[:1] for slot, tensor in weights.tensors.items()})
    torch.testing.assert_close(head(evidence, shared)[0], whole[0])
    assert head(evidence.rows(slice(0, 0)), shared).shape == (0, 4)


@every_mixture
def test_cloud_half_and_device_half_are_the_whole(
    mixture: Callable[[str], Mixture], histories: Tensor, name: str
) -> None:
    model = mixture(name)
    candidates = torch.randint(1, V + 1, (7, 5), generator=torch.Generator().manual_seed(6))
    with torch.no_grad():
        packet = model.generate(histories).weights.tensors
        assert {slot: tuple(tensor.shape[1:]) for slot, tensor in packet.items()} == dict(
            model.head.slots
        )
        scores = model.score(histories, candidates, BuiltWeights(packet))
        torch.testing.assert_close(model(histories, candidates).logits, scores)


@every_mixture
def test_padding_is_invisible_and_rows_are_strangers(
    mixture: Callable[[str], Mixture], histories: Tensor, name: str
) -> None:
    model, everything = mixture(name), torch.arange(1, V + 1)[None]
    with torch.no_grad():
        scores = model(histories, everything).logits
        assert torch.isfinite(scores).all()
        for row in range(1, len(histories)):
            alone = model(histories[row : row + 1, :row], everything).logits
            torch.testing.assert_close(alone[0], scores[row], rtol=1e-4, atol=1e-5)


@every_mixture
def test_who_is_dynamic(mixture: Callable[[str], Mixture], histories: Tensor, name: str) -> None:
    with torch.no_grad():
        weights = mixture(name).generate(histories).weights.tensors["mixture"]
    assert (len(weights) == 1) == (name == "mixture-static")
    if len(weights) > 1:
        assert not torch.allclose(weights[1], weights[-1])


@pytest.mark.parametrize(
    ("name", "reads"), [("mixture-duet", True), ("mixture-spg", False), ("mixture-lengths", False)]
)
def test_the_branch_reads_items_and_the_trunk_semantic_ids(
    mixture: Callable[[str], Mixture], name: str, reads: bool
) -> None:
    """Replacing every item by one of the same semantic id moves the branch, not the trunk."""
    model = mixture(name)
    history = torch.tensor([[1, 2, 7, 12, 0, 0]])
    other = torch.where(history > 0, (history + 3) % V + 1, 0)
    assert torch.equal(OF_ITEM[history], OF_ITEM[other])
    assert (history != other).sum() == 4
    with torch.no_grad():
        one, two = (model.generate(each).weights.tensors["mixture"] for each in (history, other))
    assert torch.equal(one, two) == (not reads)


def test_generated_weights_start_as_the_shared_ones(histories: Tensor) -> None:
    """So that a dynamic mixture begins where the static one does."""
    spec = ModelSpec.parse({"name": "mixture-full", "dim": 8, "length": L})
    model = build_mixture(spec, counted(), semantic_of_item=OF_ITEM).eval()
    with torch.no_grad():
        weights = model.generate(histories).weights.tensors
    for slot, values in started().items():
        torch.testing.assert_close(weights[slot], values.expand(7, -1))


def test_the_neural_expert_is_not_trained_with_the_weights(
    mixture: Callable[[str], Mixture], histories: Tensor
) -> None:
    model = mixture("mixture-full").train()
    model(histories, torch.arange(1, V + 1)[None]).logits.square().sum().backward()
    for key, parameter in model.named_parameters():
        assert (parameter.grad is None) == key.startswith("experts."), key


def test_the_neural_expert_of_a_mixture_is_a_plain_model() -> None:
    assert plain(ModelSpec(name="mixture", backbone="gru4rec")) == ModelSpec(
        name="plain", backbone="gru4rec"
    )
