"""A mixture over a large catalogue with random weights, and histories to ask it about."""

from __future__ import annotations

import torch
from torch import Tensor

from solidrec.nn.build import build_mixture
from solidrec.nn.memory import Memory
from solidrec.nn.mixture import CONTENT, LOG, SEMANTIC, Counted, Mixture
from solidrec.nn.semantic_memory import SemanticMemory
from solidrec.spec import ModelSpec

V, L, S = 2407, 8, 30
EVERYTHING = torch.arange(1, V + 1)[None]


def table(kinds: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Rows over 2 % of all pairs of items, whose values are often the same."""
    generator = torch.Generator().manual_seed(seed)
    row, column = (torch.rand(V, V, generator=generator) < 0.02).nonzero(as_tuple=True)
    starts = torch.cat(
        [torch.zeros(2, dtype=torch.int64), torch.bincount(row, minlength=V).cumsum(0)]
    )
    values = torch.randint(1, 4, (len(row), kinds), generator=generator) / 4
    return starts, column.int(), values


def large(name: str, *, recent: bool = False, far: float = 0.5) -> Mixture:
    """Build a mixture; what it learns is `far` from where it starts."""
    torch.manual_seed(0)
    of_item = torch.cat([torch.zeros(1, dtype=torch.int64), torch.randint(1, S + 1, (V,))])
    memories = (
        Memory(*table(2, 1), LOG),
        Memory(*table(1, 2), CONTENT),
        SemanticMemory(of_item, 3 * torch.rand(S + 1, S + 1), SEMANTIC),
    )
    counts = torch.randint(0, 300, (V + 1,)).float()
    counted = Counted(memories, counts, torch.rand(V + 1) * counts if recent else None)
    spec = ModelSpec.parse({"name": name, "dim": 8, "history_length": L, "dropout": 0.0})
    model = build_mixture(spec, counted, semantic_of_item=of_item).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if not key.startswith("experts."):
                parameter.add_(far * torch.randn(parameter.shape))
        model.head.center.normal_()
        model.head.spread.uniform_(0.5, 2)
        # The neural expert prefers some items by far.
        model.items.weight.mul_(8)
    return model


def histories() -> Tensor:
    """Histories of 0 to L items, the first columns of a catalogue among them."""
    generator = torch.Generator().manual_seed(5)
    found = torch.randint(1, V + 1, (9, L), generator=generator)
    found[3, :2] = torch.tensor([2, 7])
    found[5, 0] = V
    return found * (torch.arange(L) < torch.arange(9)[:, None])
