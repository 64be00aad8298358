"""Small models of every name, and histories of every length, for all tests of `nn`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from solidrec.nn.build import build
from solidrec.nn.mixture_head import START, MixtureHead
from solidrec.nn.recommender import Recommender
from solidrec.settings import merge
from solidrec.spec import ModelSpec

ITEMS, SEMANTICS, LENGTH, DIM = 40, 7, 6, 8


@pytest.fixture
def semantic_of_item() -> Tensor:
    """Items 1..40 dealt to semantic ids 1..7 in turn, 0 for padding."""
    return torch.cat([torch.zeros(1, dtype=torch.int64), torch.arange(ITEMS) % SEMANTICS + 1])


@pytest.fixture
def model(semantic_of_item: Tensor) -> Callable[..., Recommender]:
    """Build a small model by name: ``model("duet", "din", seed=1, stage=2, clip=0.5)``.

    `flip` deals the semantic ids backwards. The codebook is learned in a second stage, so that
    there are two stages. Item embeddings are ten times as large as at a real start: logits of size
    1 differ by more than a tolerance.
    """

    def make(
        name: str,
        backbone: str = "sasrec",
        *,
        seed: int = 0,
        stage: int | None = None,
        flip: bool = False,
        **settings: Any,
    ) -> Recommender:
        sizes = {
            "name": name,
            "backbone": backbone,
            "dim": DIM,
            "history_length": LENGTH,
            "core": 4,
        }
        spec = ModelSpec.parse(merge(sizes | {"codebook": {"schedule": "staged"}}, settings))
        torch.manual_seed(seed)
        dealt = (
            torch.cat([semantic_of_item[:1], semantic_of_item[1:].flip(0)])
            if flip
            else semantic_of_item
        )
        built = build(spec, items=ITEMS, semantic_of_item=dealt, stage=stage).eval()
        built.items.weight.data.mul_(10)
        return built

    return make


@pytest.fixture
def histories() -> Tensor:
    """One history of each length 0..6 and five more full ones, right-padded with 0, (12, 6)."""
    items = torch.randint(1, ITEMS + 1, (12, LENGTH), generator=torch.Generator().manual_seed(5))
    lengths = torch.tensor([0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6])
    return items * (torch.arange(LENGTH) < lengths[:, None])


@pytest.fixture
def candidates() -> Tensor:
    """Nine candidates for each of the 12 histories."""
    return torch.randint(1, ITEMS + 1, (12, 9), generator=torch.Generator().manual_seed(6))


@pytest.fixture
def started() -> dict[str, Tensor]:
    """The logs that shared weights start from."""
    return {
        slot: torch.tensor(START[slot][: shape[0]]).log()[None]
        for slot, shape in MixtureHead().slots.items()
    }


@pytest.fixture
def vectors() -> Tensor:
    """Five rows of six vectors, to be looked up among `codes`."""
    return torch.randn(5, 6, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def codes() -> Tensor:
    """Thirty codes of very different lengths."""
    return (
        torch.randn(30, 8, generator=torch.Generator().manual_seed(1))
        * torch.linspace(0.1, 3, 30)[:, None]
    )
