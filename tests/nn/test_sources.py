"""Sources: where a model's weights come from, and how they add."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from solidrec.designs import DESIGNS
from solidrec.errors import UsageError
from solidrec.nn.build import build
from solidrec.nn.codebook import Codebook, NearestCodebook
from solidrec.nn.generator import Generator
from solidrec.nn.histories import Histories
from solidrec.nn.recommender import dot
from solidrec.nn.sources import Branch, Shared, Trunk, TrunkAndBranch
from solidrec.spec import MODEL_NAMES, ModelSpec

D = 4
SLOTS = {"a": (2, 3), "b": (3,)}
SEMANTIC_OF_ITEM = torch.tensor([0, 2, 1, 2, 1, 3])
HISTORY = torch.tensor([[1, 2, 0], [3, 4, 5], [0, 0, 0]])


@pytest.fixture
def items() -> Tensor:
    table = torch.randn(6, D, generator=torch.Generator().manual_seed(0))
    table[0] = 0
    return table[HISTORY]


def trunk() -> Trunk:
    torch.manual_seed(1)
    return Trunk(Generator(SLOTS, D), SEMANTIC_OF_ITEM, D)


def branch(codebook: Codebook | None = None, clip: float | None = None) -> Branch:
    torch.manual_seed(2)
    return Branch(Generator(SLOTS, D), codebook=codebook, clip=clip)


def test_shared_is_the_same_for_everybody(items: Tensor) -> None:
    torch.manual_seed(0)
    source = Shared(SLOTS)
    tensors = source(Histories.of(HISTORY, items)).weights.tensors
    assert {slot: tuple(tensor.shape) for slot, tensor in tensors.items()} == {
        "a": (1, 2, 3),
        "b": (1, 3),
    }
    assert torch.equal(tensors["a"][0], source.tensors["a"])


def test_trunk_reads_semantic_ids_and_nothing_else(items: Tensor) -> None:
    """Items 1 and 3 share semantic 2, items 2 and 4 semantic 1: same weights, other embeddings."""
    source = trunk()
    one, two = (torch.tensor([[1, 2]]), torch.tensor([[3, 4]]))
    a = source(Histories.of(one, items[:1, :2])).weights.tensors["a"]
    b = source(Histories.of(two, items[1:2, :2])).weights.tensors["a"]
    other = source(Histories.of(torch.tensor([[3, 5]]), items[1:2, :2])).weights.tensors["a"]
    assert torch.equal(a, b)
    assert not torch.equal(a, other)
    assert torch.equal(source.embed(HISTORY)[0, :2], source.semantics.weight[[2, 1]])
    assert not source.embed(HISTORY)[HISTORY == 0].any()
    assert source.semantics.weight.shape == (3 + 1, D)


def test_sum_adds_slots_penalties_and_stats(items: Tensor) -> None:
    torch.manual_seed(3)
    first, second = trunk(), branch(NearestCodebook(3, D), clip=0.01)
    histories = Histories.of(HISTORY, items)
    a, b, both = first(histories), second(histories), TrunkAndBranch(first, second)(histories)
    for slot in SLOTS:
        assert torch.equal(
            both.weights.tensors[slot], a.weights.tensors[slot] + b.weights.tensors[slot]
        )
    assert both.codebook_loss == b.codebook_loss > 0
    assert set(both.stats) == {"code_indices", "saturated"}


def test_branch_reports_codes_and_clips(items: Tensor) -> None:
    generated = branch(NearestCodebook(3, D), clip=0.001)(Histories.of(HISTORY, items))
    assert all(tensor.abs().max() <= 0.001 for tensor in generated.weights.tensors.values())
    assert generated.stats["saturated"] > 0.9
    assert torch.equal(generated.stats["code_indices"] == -1, HISTORY == 0)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_models_that_read_semantics_say_so(name: str) -> None:
    """And the others are built without any."""
    design = DESIGNS[name]
    spec = ModelSpec.parse({"name": name, "dim": D})
    if design.needs_semantics:
        with pytest.raises(UsageError, match=f"model '{name}' needs semantic ids"):
            build(spec, items=5)
    else:
        assert build(spec, items=5).items.weight.shape == (6, D)


def test_width_must_fit_the_heads_of_a_transformer() -> None:
    for backbone in ("sasrec", "bert4rec"):
        with pytest.raises(
            UsageError, match=r"dim=9 is not a multiple of model\.backbone\.heads=2"
        ):
            build(ModelSpec.parse({"name": "static", "backbone": backbone, "dim": 9}), items=5)
    assert build(ModelSpec.parse({"name": "static", "backbone": "din", "dim": 9}), items=5)


def test_designs_table_of_models() -> None:
    """Which source and which head each name stands for (architecture, section 3)."""
    made = {
        name: build(ModelSpec.parse({"name": name}), items=5, semantic_of_item=SEMANTIC_OF_ITEM)
        for name in MODEL_NAMES
    }
    sources = {name: type(model.source).__name__ for name, model in made.items()}
    heads = {name: type(model.head).__name__ for name, model in made.items()}
    assert {name for name, head in heads.items() if head == "LowRankHead"} == {
        "apg",
        "solid-apg",
        "spg-apg",
        "sml-apg",
        "duet-codebook-apg",
        "author-code-apg",
    }
    by_source = {
        "Shared": {"static", "plain"},
        "Trunk": {"spg", "spg-apg"},
        "Branch": {"duet", "apg", "duet-codebook", "duet-codebook-apg"},
        "TrunkAndBranch": {"sml", "sml-apg", "solid-duet", "solid-apg"},
        "AuthorCode": {"author-code", "author-code-apg"},
        "WithCodebookLoss": {"static-codebook", "spg-penalty", "sml-penalty"},
    }
    assert {
        source: {name for name, found in sources.items() if found == source} for source in by_source
    } == by_source
    with_codes = {
        name
        for name, model in made.items()
        if any(isinstance(module, Codebook) for module in model.modules())
    }
    assert with_codes == {
        name
        for name in MODEL_NAMES
        if any(part in name for part in ("solid", "codebook", "author", "penalty"))
    }


@pytest.mark.parametrize("name", ["spg", "sml"])
def test_a_penalty_alone_changes_no_weight(name: str) -> None:
    """With the same parameters, weights and logits are the same; the codebook adds the penalty."""
    history, candidates = torch.tensor([[1, 2, 0], [3, 4, 5]]), torch.tensor([[1, 5]])
    torch.manual_seed(0)
    without = build(
        ModelSpec.parse({"name": name}), items=5, semantic_of_item=SEMANTIC_OF_ITEM
    ).eval()
    penalised = build(
        ModelSpec.parse({"name": f"{name}-penalty"}), items=5, semantic_of_item=SEMANTIC_OF_ITEM
    ).eval()
    state = {
        key.replace("source.", "source.source.", 1): value
        for key, value in without.state_dict().items()
    }
    penalised.load_state_dict(penalised.state_dict() | state)
    one, two = without(history, candidates), penalised(history, candidates)
    assert torch.equal(one.logits, two.logits)
    assert one.codebook_loss == 0 < two.codebook_loss
    two.codebook_loss.backward()
    touched = {
        key
        for key, parameter in penalised.named_parameters()
        if parameter.grad is not None and parameter.grad.any()
    }
    assert touched == {"items.weight", "source.codebook.code_vectors"}


@pytest.mark.parametrize(
    ("users", "targets"),
    [
        ((3, 1), (3, 5)),
        ((3, 5), (3, 5)),
        ((3, 1), (1, 5)),
        ((3, 5), (1, 5)),
        ((3, 1), (3, 1)),
        ((1, 1), (1, 5)),
    ],
)
def test_dot_is_a_loop(users: tuple[int, int], targets: tuple[int, int]) -> None:
    u, t = torch.randn(*users, D), torch.randn(*targets, D)
    rows, columns = max(users[0], targets[0]), max(users[1], targets[1])
    expected = [
        [
            float(u[i % users[0], j % users[1]] @ t[i % targets[0], j % targets[1]])
            for j in range(columns)
        ]
        for i in range(rows)
    ]
    torch.testing.assert_close(dot(u, t), torch.tensor(expected))


def test_several_semantic_ids_embed_as_their_sum(items: Tensor) -> None:
    """And with one column the answer is that of a plain table, bit for bit."""
    deep = torch.stack([SEMANTIC_OF_ITEM, (SEMANTIC_OF_ITEM + 3) * (SEMANTIC_OF_ITEM > 0)], dim=1)
    source = Trunk(Generator(SLOTS, D), deep, D)
    table = source.semantics.weight
    assert len(table) == int(deep.max()) + 1
    for row, history in zip(source.embed(HISTORY), HISTORY, strict=True):
        for found, item in zip(row, history, strict=True):
            torch.testing.assert_close(found, table[deep[item, 0]] + table[deep[item, 1]])
    plain, column = trunk(), trunk()
    column.load_state_dict(plain.state_dict())
    column.semantic_of_item = SEMANTIC_OF_ITEM[:, None]
    assert torch.equal(plain.embed(HISTORY), column.embed(HISTORY))
