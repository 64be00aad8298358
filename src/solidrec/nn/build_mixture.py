"""From a specification to a mixture: the table of all mixtures is here."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from solidrec.errors import UsageError
from solidrec.nn.build import Recipe, build, build_codebook
from solidrec.nn.evidence import STATISTICS
from solidrec.nn.gate import Lengths, Pooled, Reading
from solidrec.nn.mixture import START, Counted, Experts, Mixture, MixtureHead
from solidrec.nn.sources import Branch, Shared, Source, Sum, Trunk
from solidrec.nn.weights import Slots
from solidrec.spec import ModelSpec

_METACODE = 16
"""Width of a mixture's metacode: its trunk generates few numbers."""
LOG, CONTENT, SEMANTIC = (0.5, 0.8), (0.5,), 0.8
"""What an event more in age takes from a history's item: in the forward and the symmetric memory, in content, in semantic ids."""


class MixtureRecipe(NamedTuple):
    """What generates the weights of a mixture, beside the shared ones."""

    lengths: bool = False
    statistics: bool = False
    trunk: bool = False
    branch: bool = False
    codebook: bool = False


MIXTURES: dict[str, MixtureRecipe] = {
    "mixture-static": MixtureRecipe(),
    "mixture-lengths": MixtureRecipe(lengths=True),
    "mixture-spg": MixtureRecipe(trunk=True),
    "mixture-duet": MixtureRecipe(branch=True),
    "mixture-solid": MixtureRecipe(trunk=True, branch=True, codebook=True),
    "mixture": MixtureRecipe(statistics=True),
    "mixture-full": MixtureRecipe(statistics=True, trunk=True, branch=True),
}


def plain(spec: ModelSpec) -> ModelSpec:
    """Return the model that is the neural expert of a mixture.

    >>> plain(ModelSpec(name="mixture", dim=64)).name
    'plain'
    """
    return spec.model_copy(update={"name": "plain"})


def build_mixture(spec: ModelSpec, counted: Counted, *, semantic_of_item: Tensor | None = None) -> Mixture:
    """Build the mixture that `spec` names around what was counted; its neural expert is untrained.

    Random numbers come from torch's generator. Raises `UsageError` when a trunk or a codebook gets no semantic ids.
    """
    recipe = MIXTURES[spec.name]
    if (recipe.trunk or recipe.codebook) and semantic_of_item is None:
        raise UsageError(f"model {spec.name!r} needs semantic ids; prepare items with features, categories or titles")
    neural = build(plain(spec), items=len(counted.counts) - 1).requires_grad_(False)  # it is weighed, not changed
    head = MixtureHead(len(counted.experts))
    return Mixture(
        Experts(neural, counted), head=head,
        source=_build_source(spec, recipe, head.slots, semantic_of_item),
        reading=Reading(head.slots, STATISTICS) if recipe.statistics else None,
    )  # fmt: skip


def _build_source(spec: ModelSpec, recipe: MixtureRecipe, slots: Slots, semantic_of_item: Tensor | None) -> Source:
    """Build shared weights, and the deltas of a recipe on top of them."""
    shared = Shared(slots)
    with torch.no_grad():
        for slot, values in START.items():
            shared.tensors[slot].copy_(torch.tensor([math.log(value) for value in values[: math.prod(slots[slot])]]))
    source: Source = shared
    if recipe.lengths:
        source = Sum(source, Lengths(slots, spec.length))
    if recipe.trunk:
        assert semantic_of_item is not None
        source = Sum(source, Trunk(Pooled(slots, _METACODE), semantic_of_item.clone(), _METACODE))
    if recipe.branch:
        codebook = None
        if recipe.codebook:
            codebook = build_codebook(spec, Recipe(codebook=True), semantic_of_item, mlp=spec.codebook.mlp)
        source = Sum(source, Branch(Pooled(slots, spec.dim), codebook=codebook, clip=spec.clip if codebook else None))
    return source
