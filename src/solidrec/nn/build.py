"""Build models from specifications: each part of a design becomes a module."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import NamedTuple

import torch
from torch import Tensor, nn

from solidrec.designs import DESIGNS, Design, Parts
from solidrec.errors import UsageError
from solidrec.nn.author_code import AuthorCode
from solidrec.nn.backbones import Backbone
from solidrec.nn.codebook import Codebook, CodebookSettings, NearestCodebook, SemanticCodebook
from solidrec.nn.evidence import STATISTICS
from solidrec.nn.gate import Lengths, Pooled, Reading
from solidrec.nn.generator import Generator, Hypernetwork
from solidrec.nn.heads import DotHead, FullHead, Head, LowRankHead
from solidrec.nn.mixture import Counted, Experts, Mixture
from solidrec.nn.mixture_head import START, MixtureHead
from solidrec.nn.recommender import Recommender
from solidrec.nn.sources import Branch, Shared, Source, Trunk, TrunkAndBranch, WithCodebookLoss
from solidrec.nn.weights import Slots
from solidrec.registry import BACKBONES
from solidrec.spec import ModelSpec

_HEADS: dict[str, Callable[[ModelSpec], Head]] = {
    "dot": lambda spec: DotHead(),
    "full": lambda spec: FullHead(spec.dim),
    "low-rank": lambda spec: LowRankHead(spec.dim, spec.core),
}
_METACODE = 16
"""Width of a mixture's metacode; it is small because the trunk generates few numbers."""


class Making(NamedTuple):
    """The inputs of a source: the ``spec``, the head's ``slots`` and semantic ids.

    ``semantic_of_item`` is (V + 1,) or (V + 1, levels). ``codebook`` says whether the codebook
    exists yet: Algorithm 1 has a stage of training before it.
    """

    spec: ModelSpec
    slots: Slots
    semantic_of_item: Tensor | None
    codebook: bool = True


def stages(spec: ModelSpec) -> int:
    """Return the number of stages (Algorithm 1): two if a codebook follows Eq. 12, else one.

    >>> staged = ModelSpec.parse({"codebook": {"schedule": "staged"}})
    >>> stages(ModelSpec(name="solid-duet")), stages(staged)
    (1, 2)
    """
    design = DESIGNS[spec.name]
    return (
        2
        if design.has_codebook and (design.parts.author_code or spec.codebook.schedule == "staged")
        else 1
    )


def build(
    spec: ModelSpec, *, items: int, semantic_of_item: Tensor | None = None, stage: int | None = None
) -> Recommender:
    """Build the recommender that `spec` names, as in training stage `stage` (default: the last).

    `items` is V; `semantic_of_item` (V + 1,) maps items to 1..S, padding to 0, and only models with
    a trunk or a codebook need it. Random numbers come from torch's generator, which the caller
    seeds. Raises `UsageError` when a model with a trunk gets no semantic ids or the width does not
    fit the heads.
    """
    design = _checked(spec, semantic_of_item)
    table = nn.Embedding(items + 1, spec.dim, padding_idx=0)
    nn.init.normal_(table.weight[1:], std=0.1)
    backbone = build_backbone(spec)
    head = _HEADS[design.head](spec) if isinstance(design.head, str) else design.head(spec)
    making = Making(
        spec, head.slots, semantic_of_item, codebook=stage is None or stage >= stages(spec)
    )
    make_source = design.make_source or (lambda making: _source(making, design.parts))
    return Recommender(table, backbone=backbone, head=head, source=make_source(making))


def build_backbone(spec: ModelSpec) -> Backbone:
    """Build the backbone that `spec` names; raises `UsageError` for unsuitable settings."""
    make: type[Backbone] = BACKBONES[spec.backbone.name]
    given = partial(make, spec.dim, length=spec.history_length, dropout=spec.dropout)
    own = spec.backbone.own()
    try:
        signature(given).bind(**own)
    except TypeError as error:  # of another package
        raise UsageError(
            f"backbone {spec.backbone.name!r}: its constructor takes dim, length, dropout and what "
            f"its Settings declare ({', '.join(own) or 'nothing'}), but {error}; change the "
            "backbone (docs/extending.md)"
        ) from None
    return given(**own)


def build_mixture(
    spec: ModelSpec, counted: Counted, *, semantic_of_item: Tensor | None = None
) -> Mixture:
    """Build the mixture that `spec` names from `counted` experts and an untrained neural expert.

    Random numbers come from torch's generator. Raises `UsageError` when a trunk or a codebook gets
    no semantic ids.
    """
    design = _checked(spec, semantic_of_item)
    parts = design.parts
    # The mixture weighs the neural expert but does not train it.
    neural = build(plain(spec), items=len(counted.counts) - 1).requires_grad_(False)
    head = MixtureHead(len(counted.experts))
    slots = head.slots
    shared = Shared(slots)
    with torch.no_grad():
        for slot, values in START.items():
            shared.tensors[slot].copy_(
                torch.tensor([math.log(value) for value in values[: math.prod(slots[slot])]])
            )
    making = Making(spec, slots, semantic_of_item)
    deltas: list[Source] = []
    if parts.lengths:
        deltas.append(Lengths(slots, spec.history_length))
    if parts.trunk:
        deltas.append(_trunk(making, Pooled(slots, _METACODE), _METACODE))
    if parts.branch:
        codebook = _codebook(making, parts, mlp=spec.codebook.mlp) if parts.codebook else None
        deltas.append(
            Branch(
                Pooled(slots, spec.dim), codebook=codebook, clip=spec.clip if parts.clip else None
            )
        )
    if design.make_source:
        deltas.append(design.make_source(making))
    reading = Reading(slots, STATISTICS) if parts.statistics else None
    return Mixture(
        Experts(neural, counted), head=head, shared=shared, deltas=deltas, reading=reading
    )


def plain(spec: ModelSpec) -> ModelSpec:
    """Return the specification of a mixture's neural expert.

    >>> plain(ModelSpec(name="mixture", dim=64)).name
    'plain'
    """
    return spec.model_copy(update={"name": "plain"})


def _checked(spec: ModelSpec, semantic_of_item: Tensor | None) -> Design:
    """Return the design that `spec` names; raises `UsageError` if it lacks semantic ids."""
    design = DESIGNS[spec.name]
    if design.needs_semantics and semantic_of_item is None:
        raise UsageError(
            f"model {spec.name!r} needs semantic ids; prepare items with features, categories or "
            "titles"
        )
    return design


def _source(making: Making, parts: Parts) -> Source:
    """Build the source of a recommender.

    Random numbers are drawn in a fixed order: branch, trunk, unread codebook.
    """
    spec, slots = making.spec, making.slots
    if not (parts.trunk or parts.branch):
        # The codebook is drawn first, so that a seed gives the same numbers as in earlier versions.
        codebook = _codebook(making, parts, mlp=False) if parts.codebook_loss else None
        shared = Shared(slots)
        return WithCodebookLoss(shared, codebook) if parts.codebook_loss else shared
    source: Source | None = None
    if parts.branch:
        source = _branch(making, parts)
    if parts.trunk:
        trunk = _trunk(making, Generator(slots, spec.dim, dropout=spec.dropout), spec.dim)
        both = AuthorCode if parts.author_code else TrunkAndBranch
        source = both(trunk, source) if isinstance(source, Branch) else trunk
    assert source is not None
    return (
        WithCodebookLoss(source, _codebook(making, parts, mlp=False))
        if parts.codebook_loss
        else source
    )


def _trunk(making: Making, generator: Hypernetwork, dim: int) -> Trunk:
    """Build a trunk whose metacode has width `dim`."""
    assert making.semantic_of_item is not None
    return Trunk(generator, making.semantic_of_item.clone(), dim)


def _branch(making: Making, parts: Parts) -> Branch:
    """Build a branch; that of the released code always starts outside a hard clip."""
    spec = making.spec
    codebook = _codebook(making, parts, mlp=spec.codebook.mlp) if parts.codebook else None
    inside = parts.clip and not parts.author_code and spec.branch_start == "inside"
    inward = not parts.author_code and spec.clip_gradient == "inward"
    generator = Generator(
        making.slots, spec.dim, dropout=spec.dropout, limit=spec.clip if inside else None
    )
    return Branch(
        generator, codebook=codebook, clip=spec.clip if parts.clip else None, inward=inward
    )


def _codebook(making: Making, parts: Parts, *, mlp: bool) -> Codebook | None:
    """Build a codebook with one code per semantic id, or return None in the stage before it."""
    if not making.codebook:
        return None
    of_item, how = making.semantic_of_item, making.spec.codebook
    assert of_item is not None
    settings = CodebookSettings(
        hidden=how.hidden,
        mlp=mlp,
        loss="constant" if parts.author_code else how.loss,
        gradient=how.gradient,
    )
    if parts.author_code or how.find == "nearest":
        return NearestCodebook(
            int(of_item.max()), making.spec.dim, distance=how.distance, **settings
        )
    # Of several levels of semantic ids the first is used, the coarsest.
    first = of_item.view(len(of_item), -1)[:, 0].clone()
    return SemanticCodebook(int(first.max()), making.spec.dim, semantic_of_item=first, **settings)
