"""With the same weights, the naive reference has the package's scores, losses and gradients."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F

from solidrec.designs import DESIGNS
from solidrec.nn.build import build
from solidrec.nn.recommender import Recommender
from solidrec.spec import BACKBONE_NAMES, ModelSpec

ITEMS, CODES = 30, 7
MODELS = ("static", "apg", "duet", "spg", "sml", "duet-codebook", "solid-duet", "solid-apg")
GRID = [("sasrec", name) for name in MODELS if name != "spg"] + [
    (name, "solid-duet") for name in BACKBONE_NAMES[:2]
]
GRID += [
    (backbone, "static") for backbone in ("din", "gru4rec", "bert4rec")
]  # the backbones that the paper compares


@pytest.fixture(scope="module")
def naive(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("naive")


def rows() -> tuple[torch.Tensor, torch.Tensor]:
    """Four histories, full, half, of one item and empty, with five candidates each."""
    generator = torch.Generator().manual_seed(1)
    history = torch.randint(1, ITEMS + 1, (4, 6), generator=generator)
    for row, length in enumerate((6, 3, 1, 0)):
        history[row, length:] = 0
    return history, torch.randint(1, ITEMS + 1, (4, 5), generator=generator)


def pair(
    naive: ModuleType, backbone: str, name: str, dropout: float = 0.0, find: str = "semantic"
) -> tuple[Recommender, torch.nn.Module]:
    """A model and its naive twin, with parameters so large that clips, codes and gates matter."""
    torch.manual_seed(0)
    spec = ModelSpec.parse(
        {
            "name": name,
            "backbone": backbone,
            "dim": 8,
            "history_length": 6,
            "core": 3,
            "dropout": dropout,
            "clip": 0.02,
            "codebook": {"find": find},
        }
    )
    of_item = F.pad(torch.arange(ITEMS) % CODES + 1, (1, 0))
    model = build(spec, items=ITEMS, semantic_of_item=of_item)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            if key != "items.weight" and "semantics" not in key:
                parameter.add_(torch.randn_like(parameter), alpha=0.5)
    design = DESIGNS[name]
    return model, naive.Naive(
        spec, model.state_dict(), low_rank=design.head == "low-rank", clipped=design.parts.clip
    )


@pytest.mark.parametrize("find", ["semantic", "nearest"])
@pytest.mark.parametrize(("backbone", "name"), GRID)
def test_scores_and_codebook_loss_are_the_same(
    naive: ModuleType, backbone: str, name: str, find: str
) -> None:
    model, twin = pair(naive, backbone, name, find=find)
    history, candidates = rows()
    with torch.no_grad():
        scores = model.eval()(history, candidates)
        logits, codebook_loss = twin.eval()(history, candidates)
    assert logits.std() > 0.01
    torch.testing.assert_close(scores.logits, logits, atol=1e-5, rtol=1e-4)
    # the twin sees each history five times, which a mean does not notice
    torch.testing.assert_close(scores.codebook_loss, codebook_loss, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(("backbone", "name"), GRID)
def test_gradients_are_the_same(naive: ModuleType, backbone: str, name: str) -> None:
    """With one candidate, the inward clip sees a user's whole gradient, as the twin's clip does."""
    model, twin = pair(naive, backbone, name)
    history, candidates = rows()
    candidates, labels = candidates[:, :1], torch.ones(4, 1)
    scores = model(history, candidates)
    logits, codebook_loss = twin(history, candidates)
    (
        F.binary_cross_entropy_with_logits(scores.logits, labels) + 0.1 * scores.codebook_loss
    ).backward()
    (F.binary_cross_entropy_with_logits(logits, labels) + 0.1 * codebook_loss).backward()
    compared = 0
    for key, parameter in model.named_parameters():
        mine = parameter.grad if parameter.grad is not None else torch.zeros_like(parameter)
        other = getattr(twin, key.replace(".", "/")).grad
        padding = key in (
            "items.weight",
            "source.trunk.semantics.weight",
        )  # row 0 learns nothing in the package
        torch.testing.assert_close(
            mine[1:] if padding else mine,
            other[1:] if padding else other,
            atol=1e-6,
            rtol=1e-3,
            msg=key,
        )
        compared += int(mine.abs().max() > 0)
    assert compared >= 5


def test_a_changed_parameter_is_noticed(naive: ModuleType) -> None:
    model, twin = pair(naive, "sasrec", "solid-duet")
    history, candidates = rows()
    with torch.no_grad():
        model.source.get_parameter("trunk.generator.mlp.0.weight").mul_(1.5)
        assert not torch.allclose(
            model.eval()(history, candidates).logits, twin.eval()(history, candidates)[0], atol=1e-5
        )


def test_the_nearest_code_is_the_nearest(naive: ModuleType) -> None:
    vectors, codes = torch.randn(2, 3, 4), torch.randn(9, 4)
    assert torch.equal(naive.nearest(vectors, codes), torch.cdist(vectors, codes).argmin(-1))
