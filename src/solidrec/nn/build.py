"""From a specification to a model: the table of all models is here, and nowhere else."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from solidrec.errors import UsageError
from solidrec.nn.author_code import AuthorCode
from solidrec.nn.codebook import Codebook
from solidrec.nn.generator import Generator
from solidrec.nn.heads import DotHead, FullHead, Head, LowRankHead
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import Branch, Penalised, Shared, Source, Sum, Trunk
from solidrec.nn.weights import Slots
from solidrec.registry import BACKBONES
from solidrec.spec import ModelSpec


class Recipe(NamedTuple):
    """What a model name stands for."""

    low_rank: bool = False
    headless: bool = False
    trunk: bool = False
    branch: bool = False
    clipped: bool = False
    codebook: bool = False
    author_code: bool = False
    penalised: bool = False
    """Has a codebook for its penalty alone."""


RECIPES: dict[str, Recipe] = {
    "static": Recipe(),
    "static-codebook": Recipe(codebook=True),
    "duet": Recipe(branch=True),
    "spg": Recipe(trunk=True),
    "sml": Recipe(trunk=True, branch=True, clipped=True),
    "duet-codebook": Recipe(branch=True, codebook=True),
    "solid-duet": Recipe(trunk=True, branch=True, clipped=True, codebook=True),
    "author-code": Recipe(trunk=True, branch=True, clipped=True, codebook=True, author_code=True),
}
_PENALISED = {f"{name}-penalty": RECIPES[name]._replace(codebook=True, penalised=True) for name in ("spg", "sml")}
_APG_TWINS = {"duet": "apg", "solid-duet": "solid-apg"}
RECIPES |= {
    _APG_TWINS.get(name, f"{name}-apg"): recipe._replace(low_rank=True)
    for name, recipe in RECIPES.items()
    if "static" not in name
}
RECIPES |= {"plain": Recipe(headless=True), **_PENALISED}


def stages(spec: ModelSpec) -> int:
    """Return how many training stages a model has: one, or two when its codebook is learned after Eq. 12 (Algorithm 1).

    >>> stages(ModelSpec(name="solid-duet")), stages(ModelSpec.parse({"codebook": {"schedule": "staged"}}))
    (1, 2)
    """
    recipe = RECIPES[spec.name]
    return 2 if recipe.codebook and (recipe.author_code or spec.codebook.schedule == "staged") else 1


def build(spec: ModelSpec, *, items: int, semantic_of_item: Tensor | None = None, stage: int | None = None) -> Recommender:
    """Build the recommender that `spec` names, as it is in training stage `stage` (default: the last).

    `items` is V; `semantic_of_item` (V + 1,) maps items to 1..S with 0 for padding, and only models with a
    trunk or a codebook need it. Random numbers come from torch's generator, which the caller seeds.
    Raises `UsageError` when a model with a trunk gets no semantic ids or the width does not fit the heads.
    """
    recipe = RECIPES[spec.name]
    if stage is not None and stage < stages(spec):
        recipe = recipe._replace(codebook=False)
    if (recipe.trunk or recipe.codebook) and semantic_of_item is None:
        raise UsageError(f"model {spec.name!r} needs semantic ids; prepare items with features, categories or titles")
    check_widths(spec)
    table = nn.Embedding(items + 1, spec.dim, padding_idx=0)
    nn.init.normal_(table.weight[1:], std=0.1)
    backbone = BACKBONES[spec.backbone](spec.dim, length=spec.length, blocks=spec.blocks, heads=spec.heads, dropout=spec.dropout)
    head = _build_head(spec, recipe)
    return Recommender(table, backbone=backbone, head=head, source=build_source(spec, recipe, head.slots, semantic_of_item))


def _build_head(spec: ModelSpec, recipe: Recipe) -> Head:
    """Build the head of a recipe."""
    if recipe.headless:
        return DotHead()
    return LowRankHead(spec.dim, spec.core) if recipe.low_rank else FullHead(spec.dim)


def check_widths(spec: ModelSpec) -> None:
    """Raise `UsageError` unless the width of a model divides among its attention heads, if its backbone has any."""
    if spec.dim % spec.heads and spec.backbone in ("sasrec", "bert4rec", "ligr", "bsarec"):
        raise UsageError(f"model.dim={spec.dim} is not a multiple of model.heads={spec.heads}; change one of them")


def build_source(spec: ModelSpec, recipe: Recipe, slots: Slots, semantic_of_item: Tensor | None) -> Source:
    """Build the source of a recipe: one line of the design's table."""
    if recipe.penalised:
        source = build_source(spec, recipe._replace(codebook=False, penalised=False), slots, semantic_of_item)
        return Penalised(source, build_codebook(spec, recipe, semantic_of_item, mlp=False) if recipe.codebook else None)
    if not (recipe.trunk or recipe.branch):
        return Shared(slots, codebook=build_codebook(spec, recipe, semantic_of_item, mlp=False) if recipe.codebook else None)
    branch = _build_branch(spec, recipe, slots, semantic_of_item) if recipe.branch else None
    if not recipe.trunk:
        assert branch is not None
        return branch
    assert semantic_of_item is not None
    trunk = Trunk(Generator(slots, spec.dim, dropout=spec.dropout), semantic_of_item, spec.dim)
    if branch is None:
        return trunk
    return AuthorCode(trunk, branch) if recipe.author_code else Sum(trunk, branch)


def _build_branch(spec: ModelSpec, recipe: Recipe, slots: Slots, semantic_of_item: Tensor | None) -> Branch:
    """Build the branch of a recipe; that of the released code starts outside a hard clip, whatever the settings say."""
    codebook = build_codebook(spec, recipe, semantic_of_item, mlp=spec.codebook.mlp) if recipe.codebook else None
    inside = recipe.clipped and not recipe.author_code and spec.branch_start == "inside"
    inward = not recipe.author_code and spec.clip_gradient == "inward"
    generator = Generator(slots, spec.dim, dropout=spec.dropout, limit=spec.clip if inside else None)
    return Branch(generator, codebook=codebook, clip=spec.clip if recipe.clipped else None, inward=inward)


def build_codebook(spec: ModelSpec, recipe: Recipe, semantic_of_item: Tensor | None, *, mlp: bool) -> Codebook:
    """Build a codebook with a code for each semantic id; of several levels the first counts: what an item is, roughly."""
    assert semantic_of_item is not None
    how = spec.codebook
    first = semantic_of_item.view(len(semantic_of_item), -1)[:, 0].clone()
    searched = recipe.author_code or how.find == "nearest"
    return Codebook(
        int(torch.max(semantic_of_item if searched else first)), spec.dim,
        semantic_of_item=None if searched else first, hidden=how.hidden, mlp=mlp,
        loss="constant" if recipe.author_code else how.loss, distance=how.distance, gradient=how.gradient,
    )  # fmt: skip
