"""What a model's name stands for: which parts it has, by the design's table."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import pytest
import torch
from torch import Tensor

from solidrec.errors import UsageError
from solidrec.nn.author_code import AuthorCode
from solidrec.nn.backbones import GRU4Rec
from solidrec.nn.build import build, build_backbone, stages
from solidrec.nn.codebook import Codebook, NearestCodebook, SemanticCodebook
from solidrec.nn.heads import DotHead, FullHead, LowRankHead
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import Branch, Shared, Trunk, TrunkAndBranch, WithCodebookLoss
from solidrec.registry import BACKBONES
from solidrec.spec import MODEL_NAMES, ModelSpec


@final
class _Earlier(GRU4Rec):  # type: ignore[misc]
    """A backbone of another package, with the constructor that backbones had before."""

    def __init__(self, dim: int, *, length: int, blocks: int, heads: int, dropout: float) -> None:
        super().__init__(dim, length=length, dropout=dropout)


Models = Callable[..., Recommender]

# name: head, trunk, branch, codebook
TABLE = {
    "plain": (DotHead, False, False, False),
    "static": (FullHead, False, False, False),
    "static-codebook": (FullHead, False, False, True),
    "duet": (FullHead, False, True, False),
    "apg": (LowRankHead, False, True, False),
    "spg": (FullHead, True, False, False),
    "sml": (FullHead, True, True, False),
    "duet-codebook": (FullHead, False, True, True),
    "solid-duet": (FullHead, True, True, True),
    "solid-apg": (LowRankHead, True, True, True),
    "author-code": (FullHead, True, True, True),
    "spg-penalty": (FullHead, True, False, True),
    "sml-penalty": (FullHead, True, True, True),
    "spg-apg": (LowRankHead, True, False, False),
    "sml-apg": (LowRankHead, True, True, False),
    "duet-codebook-apg": (LowRankHead, False, True, True),
    "author-code-apg": (LowRankHead, True, True, True),
}


def has(model: Recommender, kind: type) -> bool:
    return any(isinstance(module, kind) for module in model.modules())


@pytest.mark.parametrize("name", TABLE)
def test_a_name_stands_for_its_parts(model: Models, name: str) -> None:
    head, trunk, branch, codebook = TABLE[name]
    built = model(name)
    assert type(built.head) is head
    assert (has(built, Trunk), has(built, Branch), has(built, Codebook)) == (
        trunk,
        branch,
        codebook,
    )


def test_the_table_above_has_every_model() -> None:
    assert set(TABLE) == set(MODEL_NAMES)


def test_sources_are_composed_as_the_design_says(model: Models) -> None:
    assert type(model("static").source) is Shared
    assert type(model("duet").source) is Branch
    assert type(model("spg").source) is Trunk
    assert type(model("solid-duet").source) is TrunkAndBranch
    assert type(model("author-code").source) is AuthorCode
    assert type(model("spg-penalty").source) is WithCodebookLoss


def test_only_a_branch_that_is_added_to_a_trunk_is_clipped(model: Models) -> None:
    def clip(name: str) -> float | None:
        (branch,) = (each for each in model(name, clip=0.25).modules() if isinstance(each, Branch))
        return branch.clip

    assert clip("duet") is clip("duet-codebook") is None
    assert clip("sml") == clip("solid-duet") == clip("author-code") == 0.25


def test_a_codebook_has_a_code_for_each_semantic_id_of_the_first_level() -> None:
    two_levels = torch.tensor([[0, 0], [1, 4], [2, 5], [3, 4]])
    spec = ModelSpec(name="solid-duet", dim=8)
    (codebook,) = (
        each
        for each in build(spec, items=3, semantic_of_item=two_levels).modules()
        if isinstance(each, Codebook)
    )
    assert len(codebook.code_vectors) == 3
    assert isinstance(codebook, SemanticCodebook)
    assert codebook.semantic_of_item.tolist() == [0, 1, 2, 3]


def test_a_codebook_of_nearest_codes_has_as_many_as_there_are_ids_of_all_levels() -> None:
    two_levels = torch.tensor([[0, 0], [1, 4], [2, 5], [3, 4]])
    spec = ModelSpec.parse({"name": "solid-duet", "dim": 8, "codebook": {"find": "nearest"}})
    (codebook,) = (
        each
        for each in build(spec, items=3, semantic_of_item=two_levels).modules()
        if isinstance(each, Codebook)
    )
    assert len(codebook.code_vectors) == 5
    assert isinstance(codebook, NearestCodebook)


@pytest.mark.parametrize(
    ("name", "schedule", "expected"),
    [
        ("static", "staged", 1),
        ("sml", "staged", 1),
        ("solid-duet", "joint", 1),
        ("solid-duet", "staged", 2),
        ("author-code", "joint", 2),
    ],
)
def test_stages_are_those_of_algorithm_1(name: str, schedule: str, expected: int) -> None:
    assert stages(ModelSpec.parse({"name": name, "codebook": {"schedule": schedule}})) == expected


def test_the_first_of_two_stages_has_no_codebook(model: Models) -> None:
    assert not has(model("solid-duet", stage=1), Codebook)
    assert has(model("solid-duet", stage=2), Codebook)


def test_the_item_table_starts_small_and_padding_is_zero(semantic_of_item: Tensor) -> None:
    torch.manual_seed(0)
    table = build(ModelSpec(name="static", dim=64), items=500).items.weight
    assert not table[0].any()
    assert table[1:].std().item() == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("name", ["spg", "static-codebook", "solid-duet"])
def test_semantic_ids_are_asked_for(name: str) -> None:
    with pytest.raises(UsageError, match=f"model '{name}' needs semantic ids"):
        build(ModelSpec(name=name, dim=8), items=3)


@pytest.mark.parametrize("backbone", ["sasrec", "bert4rec", "ligr", "bsarec"])
def test_a_width_that_does_not_divide_among_heads_is_refused(backbone: str) -> None:
    own = {"name": backbone, "heads": 4}
    spec = ModelSpec.parse({"name": "static", "backbone": own, "dim": 10})
    with pytest.raises(
        UsageError, match=r"model.dim=10 is not a multiple of model.backbone.heads=4"
    ):
        build(spec, items=3)


def test_a_backbone_without_heads_takes_any_width() -> None:
    spec = ModelSpec.parse({"name": "static", "backbone": "gru4rec", "dim": 10})
    assert build(spec, items=3).items.weight.shape == (1 + 3, 10)


def test_a_constructor_that_does_not_take_the_settings_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(BACKBONES, "earlier", _Earlier)
    with pytest.raises(UsageError, match=r"^backbone 'earlier': its constructor .*'blocks'"):
        build_backbone(ModelSpec.parse({"backbone": "earlier"}))
