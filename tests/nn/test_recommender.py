"""The one forward of all models, put together from its parts by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from solidrec.nn import recommender as module
from solidrec.nn.histories import Histories
from solidrec.nn.masks import valid
from solidrec.nn.recommender import Recommender, dot

Models = Callable[..., Recommender]


@pytest.mark.parametrize("name", ["static", "solid-duet", "solid-apg"])
def test_a_logit_is_the_head_of_the_state_dot_the_target(
    model: Models, histories: Tensor, candidates: Tensor, name: str
) -> None:
    tested = model(name)
    items, mask = tested.items(histories), valid(histories)
    targets = tested.items(candidates)
    generated = tested.source(Histories.of(histories, items))
    users = tested.head(tested.backbone(items, mask, targets), generated.weights)
    found = tested(histories, candidates)
    expected = torch.einsum("bd,bcd->bc", users[:, 0], targets)
    torch.testing.assert_close(found.logits, expected)
    torch.testing.assert_close(found.codebook_loss, generated.codebook_loss)


def test_a_backbone_that_reads_candidates_has_a_state_for_each(
    model: Models, histories: Tensor, candidates: Tensor
) -> None:
    tested = model("static", "din")
    targets = tested.items(candidates)
    states = tested.backbone(tested.items(histories), valid(histories), targets)
    assert states.shape == (*candidates.shape, targets.shape[2])
    users = tested.head(states, tested.generate(histories).weights)
    expected = torch.einsum("bcd,bcd->bc", users, targets)
    torch.testing.assert_close(tested(histories, candidates).logits, expected)


def test_a_user_is_encoded_once_for_all_items(model: Models, histories: Tensor) -> None:
    tested = model("solid-duet")
    every = torch.arange(1, len(tested.items.weight))[None]
    users = tested.encode(histories).users
    expected = users @ tested.items.weight[1:].T
    torch.testing.assert_close(tested(histories, every).logits, expected)


def test_both_halves_are_embedded_by_one_look_up(
    model: Models, histories: Tensor, candidates: Tensor
) -> None:
    tested = model("static")
    items, targets = tested.embed(histories, candidates)
    assert torch.equal(items, tested.items(histories))
    assert torch.equal(targets, tested.items(candidates))


@pytest.mark.parametrize(
    ("backbone", "expected"),
    [
        ("din", False),
        ("gru4rec", True),
        ("sasrec", True),
        ("bert4rec", False),
        ("ligr", True),
        ("bsarec", False),
    ],
)
def test_a_causal_backbone_reads_prefixes(model: Models, backbone: str, expected: bool) -> None:
    assert model("static", backbone).reads_prefixes is expected


@pytest.mark.parametrize("candidates", [1, module.FEW_CANDIDATES, module.FEW_CANDIDATES + 1, 40])
@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("states", ["a user", "a candidate"])
def test_the_dot_product_however_it_is_computed(candidates: int, rows: int, states: str) -> None:
    users = torch.randn(5, candidates if states == "a candidate" else 1, 3, dtype=torch.float64)
    targets = torch.randn(rows, candidates, 3, dtype=torch.float64)
    expected = torch.tensor(
        [
            [
                sum(
                    users[b, c if states == "a candidate" else 0, d] * targets[b % rows, c, d]
                    for d in range(3)
                )
                for c in range(candidates)
            ]
            for b in range(5)
        ],
        dtype=torch.float64,
    )
    torch.testing.assert_close(dot(users, targets), expected)
