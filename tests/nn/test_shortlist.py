"""A short list has the best items of a mixture and their scores, whatever the weights."""

from __future__ import annotations

import pytest
import torch
from tests.nn.large import EVERYTHING, histories, large
from torch import Tensor

from solidrec.nn.mixture import Mixture
from solidrec.nn.shortlist import CERTAIN, Shortlist
from solidrec.nn.sparse_evidence import SparseEvidence
from solidrec.spec import MIXTURE_NAMES


def both(model: Mixture) -> tuple[Tensor, Tensor]:
    """The scores of a short list and of the whole catalogue, of histories with items."""
    with torch.no_grad():
        return Shortlist(model).best(histories())[1:], model(histories(), EVERYTHING).logits[1:]


@pytest.mark.parametrize("name", MIXTURE_NAMES)
@pytest.mark.parametrize("far", [0.0, 0.5, 1.0])
def test_the_best_items_are_scored_as_the_mixture_does(name: str, far: float) -> None:
    short, whole = both(large(name, far=far))
    scored = short.isfinite()
    torch.testing.assert_close(short[scored], whole[scored], rtol=1e-4, atol=1e-4)
    best = whole.topk(CERTAIN)
    torch.testing.assert_close(short.gather(1, best.indices), best.values, rtol=1e-4, atol=1e-4)


def test_recency_is_bounded_too() -> None:
    short, whole = both(large("mixture", recent=True))
    best = whole.topk(CERTAIN)
    torch.testing.assert_close(short.gather(1, best.indices), best.values, rtol=1e-4, atol=1e-4)


def test_items_that_no_memory_knows_can_be_the_best() -> None:
    """With weights under which memories say next to nothing."""
    model = large("mixture-static", far=0.0)
    with torch.no_grad():
        model.shared.tensors["mixture"][1:4] = -20.0
        model.head.trust[5] = 3.0
    short, whole = both(model)
    with torch.no_grad():
        unknown = (model.experts(histories()).counted[:3] == 0).all(0)[1:]
    best = whole.topk(CERTAIN)
    assert unknown.gather(1, best.indices).any()
    torch.testing.assert_close(short.gather(1, best.indices), best.values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("recent", [False, True])
def test_no_item_of_which_memories_say_nothing_is_above_its_bound(recent: bool) -> None:
    model, asked = large("mixture", recent=recent), histories()
    with torch.no_grad():
        evidence = model.experts(asked)
        weights = model.read(asked, evidence).weights
        scores = model.head(evidence, weights)
        bounds = Shortlist(model).upper_bounds(
            SparseEvidence(model.experts, asked), weights.tensors
        )
    unknown = (evidence.counted[:3] == 0).all(0)
    assert (bounds - scores)[unknown].min() > -1e-3
    # A bound that is always far away would bound nothing.
    assert (bounds - scores)[unknown].median() < 3 * scores[unknown].std()


def test_most_items_are_not_scored() -> None:
    """A model as it starts, whose hidden layer says nothing: of known items nearly all suffice."""
    short, _ = both(large("mixture", far=0.0))
    assert short.isfinite().float().mean() < 0.5
