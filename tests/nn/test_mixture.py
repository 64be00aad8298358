"""A mixture against its equation, its halves, and what its sources may read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from solidrec.designs import DESIGNS, Design
from solidrec.nn.build import build_mixture, plain
from solidrec.nn.evidence import EXPERTS, KINDS
from solidrec.nn.gate import Lengths
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import CONTENT, LOG, SEMANTIC, Counted, Mixture
from solidrec.nn.mixture_head import START, MixtureHead
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
        spec = ModelSpec.parse(
            {"name": name, "dim": 8, "history_length": L, "dropout": 0.0, "clip": 0.3}
        )
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
    spec = ModelSpec.parse({"name": "mixture-static", "dim": 8, "history_length": L})
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


def test_generated_weights_start_as_the_shared_ones(
    histories: Tensor, started: dict[str, Tensor]
) -> None:
    """So that a dynamic mixture begins where the static one does."""
    spec = ModelSpec.parse({"name": "mixture-full", "dim": 8, "history_length": L})
    model = build_mixture(spec, counted(), semantic_of_item=OF_ITEM).eval()
    with torch.no_grad():
        weights = model.generate(histories).weights.tensors
    for slot, values in started.items():
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


def test_a_source_of_another_package_is_added_to_the_shared_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    design = Design(
        "mixture", source=lambda making: Lengths(making.slots, making.spec.history_length)
    )
    monkeypatch.setitem(DESIGNS, "mine", design)
    spec = ModelSpec.parse({"name": "mine", "dim": 8, "history_length": L})
    mine = build_mixture(spec, counted())
    (delta,) = mine.deltas
    assert isinstance(delta, Lengths)
