"""The contract that every backbone and every model keeps; a new name in either list inherits it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load, save
from torch import Tensor

from solidrec.designs import DESIGNS
from solidrec.nn.build import stages
from solidrec.nn.histories import Histories
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import Branch
from solidrec.nn.weights import BuiltWeights
from solidrec.registry import BACKBONES
from solidrec.spec import BACKBONE_NAMES, MIXTURE_NAMES, MODEL_NAMES, ModelSpec

Models = Callable[..., Recommender]
every_model = pytest.mark.parametrize("name", MODEL_NAMES)
every_backbone = pytest.mark.parametrize("backbone", BACKBONE_NAMES)
OWN = {name: DESIGNS[name].parts for name in MODEL_NAMES}
clipped = pytest.mark.parametrize(
    "name", [name for name, parts in OWN.items() if parts.clip and not parts.codebook_loss]
)
with_codebook = pytest.mark.parametrize(
    "name", [name for name, parts in OWN.items() if parts.codebook]
)
with_branch = pytest.mark.parametrize(
    "name", [name for name, parts in OWN.items() if parts.branch and not parts.author_code]
)


STATIC = {"static", "static-codebook", "plain"}
"""Models whose weights are the same for all."""


def steps(model: Recommender, *, count: int) -> Iterator[int]:
    """Train on random batches with the penalty; yield after each backward pass, before the step."""
    generator = torch.Generator().manual_seed(1)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    model.train()
    for step in range(count):
        history = torch.randint(1, 41, (64, 6), generator=generator) * (
            torch.arange(6) < torch.arange(64)[:, None] % 7
        )
        candidates = torch.randint(1, 41, (64, 5), generator=generator)
        labels = F.one_hot(torch.zeros(64, dtype=torch.int64), 5).float()
        scores = model(history, candidates)
        optimizer.zero_grad()
        (
            F.binary_cross_entropy_with_logits(scores.logits, labels) + 0.1 * scores.codebook_loss
        ).backward()
        yield step
        optimizer.step()


def staged(name: str) -> ModelSpec:
    return ModelSpec.parse({"name": name, "codebook": {"schedule": "staged"}})


def assert_same(a: Tensor, b: Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_the_two_lists_of_names_are_one() -> None:
    assert {*MODEL_NAMES, *MIXTURE_NAMES} == set(DESIGNS)
    assert set(BACKBONE_NAMES) == set(BACKBONES)
    assert len(MODEL_NAMES) == 17


@every_backbone
@every_model
def test_every_parameter_learns(model: Models, name: str, backbone: str) -> None:
    """Within a few steps: an MLP whose last layer starts at zero trains its first from step two.

    The clip is wide because the released start lies outside ±T, where no gradient passes: that is
    another test.
    """
    tested = model(name, backbone, clip=0.2)
    before = {key: value.clone() for key, value in tested.state_dict().items()}
    reached = {key: torch.zeros_like(parameter) for key, parameter in tested.named_parameters()}
    for _ in steps(tested, count=5):
        for key, parameter in tested.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None, key
                assert parameter.grad.isfinite().all(), key
                reached[key] += parameter.grad.abs()
    hit = {key for key, gradient in reached.items() if gradient.any()}
    frozen = {key for key, parameter in tested.named_parameters() if not parameter.requires_grad}
    assert hit | frozen == set(reached)
    assert {key for key in frozen if ".projections." not in key} == set()
    assert bool(frozen) == OWN[name].author_code
    after = tested.state_dict()
    assert all(torch.equal(before[key], after[key]) == (key not in hit) for key in reached)


@every_backbone
@every_model
def test_padding_rows_stay_zero(model: Models, name: str, backbone: str) -> None:
    tested = model(name, backbone)
    assert list(steps(tested, count=3)) == [0, 1, 2]
    tables = [
        tensor
        for key, tensor in tested.state_dict().items()
        if key.endswith(("items.weight", "semantics.weight"))
    ]
    assert len(tables) == 1 + OWN[name].trunk
    assert all(not table[0].any() and table[1:].any() for table in tables)


@every_backbone
@every_model
def test_state_dict_is_the_whole_model(
    model: Models, histories: Tensor, candidates: Tensor, name: str, backbone: str
) -> None:
    """Another seed and other semantic ids change the logits; safetensors restores them exactly."""
    source, target = model(name, backbone, seed=0), model(name, backbone, seed=1, flip=True)
    list(steps(source, count=2))
    source.eval()
    expected = source(histories, candidates).logits
    assert not torch.allclose(target(histories, candidates).logits, expected, atol=1e-3)
    target.load_state_dict(load(save(source.state_dict())), strict=True)
    assert torch.equal(target(histories, candidates).logits, expected)
    assert torch.equal(
        target(histories, candidates).codebook_loss, source(histories, candidates).codebook_loss
    )


@every_backbone
@every_model
def test_padding_is_invisible(
    model: Models, histories: Tensor, candidates: Tensor, name: str, backbone: str
) -> None:
    """A history of n items means the same in a tensor of any width from n to the model's length."""
    tested = model(name, backbone)
    for width in range(1, 6):
        short, targets = histories[: width + 1], candidates[: width + 1]  # row n holds n items
        cut, whole = tested(short[:, :width], targets), tested(short, targets)
        assert_same(cut.logits, whole.logits)
        assert_same(cut.codebook_loss, whole.codebook_loss)


@every_backbone
@every_model
def test_users_are_independent(
    model: Models, histories: Tensor, candidates: Tensor, name: str, backbone: str
) -> None:
    tested = model(name, backbone)
    expected = tested(histories, candidates).logits
    order = torch.randperm(12, generator=torch.Generator().manual_seed(3))
    assert_same(tested(histories[order], candidates[order]).logits, expected[order])
    alone = torch.cat(
        [tested(histories[i : i + 1], candidates[i : i + 1]).logits for i in range(12)]
    )
    assert_same(alone, expected)
    assert expected.std(0).min() > 0.01  # and their logits do differ


@every_backbone
@every_model
def test_candidates_are_independent(
    model: Models, histories: Tensor, candidates: Tensor, name: str, backbone: str
) -> None:
    tested = model(name, backbone)
    expected = tested(histories, candidates).logits
    alone = torch.cat([tested(histories, candidates[:, i : i + 1]).logits for i in range(9)], dim=1)
    assert_same(alone, expected)
    order = torch.randperm(9, generator=torch.Generator().manual_seed(3))
    assert_same(tested(histories, candidates[:, order]).logits, expected[:, order])


@every_backbone
@every_model
def test_one_row_of_candidates_serves_all(
    model: Models, histories: Tensor, candidates: Tensor, name: str, backbone: str
) -> None:
    tested = model(name, backbone)
    for row in (candidates[:1], candidates[:1, :1]):
        assert_same(tested(histories, row).logits, tested(histories, row.expand(12, -1)).logits)


@every_backbone
@every_model
def test_the_order_of_the_history_is_read(
    model: Models, candidates: Tensor, name: str, backbone: str
) -> None:
    """DIN's state is a sum over the history, so static DIN alone may not see the order."""
    tested = model(name, backbone)
    there, back = torch.tensor([[3, 11, 17, 20]]), torch.tensor([[20, 17, 11, 3]])
    same = torch.allclose(
        tested(there, candidates[:1]).logits, tested(back, candidates[:1]).logits, atol=1e-7
    )
    assert same == (name in STATIC and backbone == "din")


def prefixes(histories: Tensor) -> tuple[Tensor, Tensor]:
    """Every non-empty prefix as a history, and its place in one pass over the whole histories."""
    rows, columns = torch.nonzero(histories, as_tuple=True)
    return histories[rows] * (
        torch.arange(histories.shape[1]) <= columns[:, None]
    ), rows * histories.shape[1] + columns


@pytest.mark.parametrize("backbone", ["gru4rec", "sasrec"])
@every_model
def test_one_pass_says_of_every_prefix_what_the_prefix_alone_says(
    model: Models, histories: Tensor, name: str, backbone: str
) -> None:
    """Logits, penalty and gradients agree: a user's targets cost one encoding instead of many."""
    tested = model(name, backbone).double()
    assert tested.reads_prefixes
    alone, prefix_ends = prefixes(histories)
    candidates = torch.randint(1, 41, (len(alone), 5), generator=torch.Generator().manual_seed(7))
    found = []
    for scores in (tested(alone, candidates), tested(histories, candidates, prefix_ends)):
        tested.zero_grad()
        (scores.logits.square().sum() + 3 * scores.codebook_loss).backward()
        gradients = {
            key: p.grad.clone() for key, p in tested.named_parameters() if p.grad is not None
        }
        found.append((scores.logits.detach(), scores.codebook_loss.detach(), gradients))
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("backbone", ["din", "bert4rec"])
def test_a_backbone_that_is_not_causal_refuses_prefixes(
    model: Models, histories: Tensor, backbone: str
) -> None:
    tested = model("static", backbone)
    assert not tested.reads_prefixes
    with pytest.raises(AssertionError, match="causal"):
        tested(histories, torch.ones(2, 5, dtype=torch.int64), torch.tensor([0, 1]))


@every_backbone
@every_model
def test_cloud_half_and_device_half_are_the_whole(
    model: Models, histories: Tensor, candidates: Tensor, name: str, backbone: str
) -> None:
    tested = model(name, backbone)
    with torch.no_grad():
        packet = save(tested.generate(histories).weights.tensors)
        logits = tested.score(histories, candidates, BuiltWeights(load(packet)))
    torch.testing.assert_close(logits, tested(histories, candidates).logits, rtol=1e-5, atol=1e-6)


@every_backbone
@every_model
def test_weights_fill_the_slots(model: Models, histories: Tensor, name: str, backbone: str) -> None:
    tested = model(name, backbone)
    users = 1 if name in STATIC else 12
    tensors = tested.generate(histories).weights.tensors
    assert {slot: tuple(tensor.shape) for slot, tensor in tensors.items()} == {
        slot: (users, *shape) for slot, shape in tested.head.slots.items()
    }


@pytest.mark.parametrize("training", [False, True])
@every_backbone
@every_model
def test_empty_history_has_finite_logits_and_gradients(
    model: Models, candidates: Tensor, name: str, backbone: str, training: bool
) -> None:
    tested = model(name, backbone).train(training)
    for width in (1, 6):
        scores = tested(torch.zeros(2, width, dtype=torch.int64), candidates[:2])
        assert scores.logits.isfinite().all()
        (scores.logits.sum() + scores.codebook_loss).backward()
        assert all(p.grad is None or p.grad.isfinite().all() for p in tested.parameters())
        assert all(stat.isfinite().all() for stat in scores.stats.values())


@every_backbone
@every_model
def test_nothing_is_tied_to_the_cpu(model: Models, name: str, backbone: str) -> None:
    """On the meta device, which computes nothing, a tensor made on the CPU would be refused."""
    tested = model(name, backbone).to("meta")
    history = torch.ones(3, 6, dtype=torch.int64, device="meta")
    scores = tested(history, torch.ones(3, 9, dtype=torch.int64, device="meta"))
    assert scores.logits.shape == (3, 9)
    assert all(
        tensor.is_meta for tensor in (scores.logits, scores.codebook_loss, *scores.stats.values())
    )
    assert all(
        tensor.dtype == torch.float32
        for tensor in (scores.logits, scores.codebook_loss, *tested.parameters())
    )


@every_backbone
@every_model
def test_an_early_stage_is_a_part_of_the_last(model: Models, name: str, backbone: str) -> None:
    """What stage (12) trained loads into stage (13), and only the codebook is new."""
    early, last = model(name, backbone, stage=1).state_dict(), model(name, backbone).state_dict()
    new = set(last) - set(early)
    assert set(early) <= set(last)
    assert all(last[key].shape == early[key].shape for key in early)
    assert all(".codebook." in key or key.startswith("source.codebook.") for key in new)
    assert bool(new) == (stages(staged(name)) == 2)


@every_backbone
@with_codebook
def test_the_codebook_starts_where_stage_one_ended(
    model: Models, histories: Tensor, candidates: Tensor, name: str, backbone: str
) -> None:
    """The MLP adds zero at first, so raw codes that hold every item embedding change nothing."""
    searched = {"find": "nearest"}
    early, last = (
        model(name, backbone, stage=1, seed=0),
        model(name, backbone, seed=1, codebook=searched),
    )
    assert set(last.load_state_dict(early.state_dict(), strict=False).missing_keys) == {
        key for key in last.state_dict() if "codebook" in key
    }
    assert_is_a_no_op(early, last, histories, candidates)


@pytest.mark.parametrize("gradient", ["straight-through", "rotation"])
@pytest.mark.parametrize("loss", ["pair", "literal", "ema"])
@with_codebook
def test_raw_codes_of_every_item_are_a_no_op(
    model: Models, histories: Tensor, candidates: Tensor, name: str, loss: str, gradient: str
) -> None:
    settings = {"find": "nearest", "mlp": False, "loss": loss, "gradient": gradient}
    early, last = model(name, stage=1, seed=0), model(name, seed=1, codebook=settings)
    last.load_state_dict(early.state_dict(), strict=False)
    assert_is_a_no_op(early, last, histories, candidates)


def assert_is_a_no_op(
    plain: Recommender, coded: Recommender, histories: Tensor, candidates: Tensor
) -> None:
    branch = branch_of(coded)
    assert branch.codebook is not None
    assert branch.codebook.code_vectors.shape == (7, 8)
    theirs = plain.generate(histories).weights.tensors
    assert any(
        not torch.allclose(theirs[slot], tensor)
        for slot, tensor in coded.generate(histories).weights.tensors.items()
    )
    every_item = plain.items.weight.detach()[1:].clone()
    if isinstance(branch.codebook.code_vectors, torch.nn.Parameter):
        branch.codebook.code_vectors = torch.nn.Parameter(every_item)
    else:
        branch.codebook.code_vectors = every_item
    scores = coded(histories, candidates)
    assert torch.equal(
        scores.stats["code_indices"], histories - 1
    )  # every item found itself, padding has code -1
    assert_same(scores.logits, plain(histories, candidates).logits)
    mine = coded.generate(histories).weights.tensors
    for slot, tensor in theirs.items():
        assert_same(mine[slot], tensor)


def branch_of(model: Recommender) -> Branch:
    branches = [module for module in model.modules() if isinstance(module, Branch)]
    assert len(branches) == 1
    return branches[0]


@every_backbone
@clipped
def test_the_branch_moves_the_trunk_by_at_most_the_clip(
    model: Models, histories: Tensor, name: str, backbone: str
) -> None:
    """Even when its projections are a thousand times too large, and then it does reach the clip."""
    tested = model(name, backbone, clip=0.02)
    for projection in branch_of(tested).generator.projections.values():
        projection.weight.data.mul_(1000)
    together, trunk = tested.generate(histories).weights.tensors, trunk_of(tested, histories)
    for slot, tensor in together.items():
        moved = (tensor - trunk[slot]).abs().max()
        assert 0.019 < moved <= 0.02 + 1e-6


@every_backbone
@clipped
def test_without_a_clip_nothing_is_left_but_the_trunk(
    model: Models, histories: Tensor, candidates: Tensor, name: str, backbone: str
) -> None:
    """T = 0: the model is its trunk, in weights and in logits."""
    tested = model(name, backbone, clip=0.0)
    trunk = BuiltWeights(trunk_of(tested, histories))
    generated = tested.generate(histories)
    for slot, tensor in generated.weights.tensors.items():
        assert torch.equal(tensor, trunk.tensors[slot])
    scored = tested.score(histories, candidates, trunk)
    torch.testing.assert_close(tested(histories, candidates).logits, scored, rtol=1e-5, atol=1e-6)
    assert generated.stats["saturated"] == 1


def trunk_of(model: Recommender, histories: Tensor) -> dict[str, Tensor]:
    """The trunk's weights alone."""
    trunk = model.source.get_submodule("trunk")
    generated = trunk(Histories.of(histories, model.items(histories)))
    tensors: dict[str, Tensor] = generated.weights.tensors
    return tensors


@with_branch
def test_a_branch_inside_its_clip_is_not_saturated_at_the_start(
    model: Models, histories: Tensor, name: str
) -> None:
    stats = model(name).generate(histories).stats
    assert ("saturated" in stats) == OWN[name].clip
    assert stats.get("saturated", torch.tensor(0.0)) == 0


@pytest.mark.parametrize("name", [name for name, parts in OWN.items() if parts.codebook_loss])
def test_a_penalty_alone_can_be_staged(model: Models, name: str) -> None:
    """The second stage takes every weight of the first; the codebook comes with it."""
    first, second = (model(name, stage=stage, codebook={"schedule": "staged"}) for stage in (1, 2))
    added = set(second.state_dict()) - set(first.state_dict())
    assert set(first.state_dict()) <= set(second.state_dict())
    assert added
    assert all(".codebook." in key for key in added)
    assert first(torch.tensor([[1, 2]]), torch.tensor([[3]])).codebook_loss == 0


def test_a_branch_may_start_as_printed_behind_a_hard_clip(model: Models, histories: Tensor) -> None:
    """Most of it starts outside the clip, where only the inward gradient leads back inside."""
    for gradient, learns in (("hard", False), ("inward", True)):
        tested = model("sml", branch_start="random", clip_gradient=gradient, clip=1e-6)
        generated = tested.generate(histories)
        assert generated.stats["saturated"] > 0.9
        sum(tensor.square().sum() for tensor in generated.weights.tensors.values()).backward()
        branch = tested.source.get_submodule("branch.generator.projections")
        moved = sum(
            float((p.grad != 0).float().mean()) for p in branch.parameters() if p.grad is not None
        )
        assert (moved > 0.1) == learns


@pytest.mark.parametrize("name", ["author-code", "author-code-apg"])
def test_the_released_start_is_saturated_and_its_projections_are_frozen_but_saved(
    model: Models, histories: Tensor, name: str
) -> None:
    tested = model(name)
    assert tested.generate(histories).stats["saturated"] > 0.9
    frozen = [key for key, parameter in tested.named_parameters() if not parameter.requires_grad]
    slots = len(tested.head.slots)
    assert len(frozen) == 2 * 2 * slots  # trunk and branch, weight and bias of each slot
    assert set(frozen) <= set(tested.state_dict())
    assert "source.branch.codebook.code_vectors" in tested.state_dict()
    assert "source.branch.codebook.code_vectors" not in dict(tested.named_parameters())


@pytest.mark.parametrize("name", ["solid-duet", "duet-codebook"])
@pytest.mark.parametrize("gradient", ["straight-through", "rotation"])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize("loss", ["pair", "literal", "ema"])
@pytest.mark.parametrize(
    ("find", "mlp"), [("semantic", True), ("nearest", True), ("nearest", False)]
)
def test_every_codebook_variant_learns(
    model: Models, name: str, loss: str, distance: str, gradient: str, find: str, mlp: bool
) -> None:
    """Parameters by gradient, running means by what hits them; and nothing turns NaN."""
    codebook = {
        "find": find,
        "loss": loss,
        "distance": distance,
        "gradient": gradient,
        "mlp": mlp,
        "hidden": 16,
    }
    tested = model(name, codebook=codebook)
    before = {key: value.clone() for key, value in tested.state_dict().items()}
    assert list(steps(tested, count=3)) == [0, 1, 2]
    after = tested.state_dict()
    still = {key for key in after if torch.equal(before[key], after[key])}
    assert still == {key for key in after if key.endswith("semantic_of_item")}
    assert all(value.isfinite().all() for value in after.values())
    assert ("ema" == loss) == any(key.endswith("codebook.hits") for key in after)
