"""The codebook: its codes, losses by hand, running means by a loop."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from solidrec.nn.codebook import Codebook, NearestCodebook, SemanticCodebook
from solidrec.nn.histories import Histories
from solidrec.nn.kernels.nearest import nearest_code

ALL = torch.ones(1, 2, dtype=torch.bool)
ONE = torch.ones(1, 1, dtype=torch.bool)


def two_codes(**settings: object) -> Codebook:
    """Codes (0, 0) and (10, 0), read raw."""
    book = NearestCodebook(2, 2, mlp=False, **settings)  # type: ignore[arg-type]
    book.place(torch.tensor([0, 1]), torch.tensor([[0.0, 0.0], [10.0, 0.0]]))
    return book


EMBEDDED = torch.tensor(
    [[[1.0, 0.0], [8.0, 2.0]]]
)  # nearest codes 0 and 1; squares 1 + 0 and 4 + 4; mean over D .5 and 4
MEAN = (0.5 + 4) / 2


@pytest.mark.parametrize(
    ("loss", "penalty", "to_codes", "to_items"),
    [
        ("pair", 1.25 * MEAN, 1.0, 0.25),
        ("literal", MEAN, 1.0, 1.0),
        ("ema", 0.25 * MEAN, 0.0, 0.25),
        ("constant", 0.0, 0.0, 0.0),
    ],
)
def test_each_loss_by_hand(loss: str, penalty: float, to_codes: float, to_items: float) -> None:
    """d/de mean over (2 positions x 2 dims) of (e - c)^2 = 2 (e - c) / 4; d/dc is its opposite."""
    book = two_codes(loss=loss).eval()
    items = EMBEDDED.clone().requires_grad_(True)
    coded = book(Histories.of(ALL.long(), items))
    assert coded.indices.tolist() == [[0, 1]]
    assert coded.items.tolist() == [[[0.0, 0.0], [10.0, 0.0]]]
    assert float(coded.loss.detach()) == pytest.approx(penalty)
    slope = 2 * (EMBEDDED[0] - torch.tensor([[0.0, 0.0], [10.0, 0.0]])) / 4
    if not coded.loss.requires_grad:
        assert to_codes == to_items == 0
        return
    coded.loss.backward()
    assert items.grad is not None
    torch.testing.assert_close(items.grad[0], to_items * slope)
    assert isinstance(book.code_vectors, torch.nn.Parameter) == (to_codes > 0)
    if to_codes:
        assert book.code_vectors.grad is not None
        torch.testing.assert_close(book.code_vectors.grad, -to_codes * slope)


@pytest.mark.parametrize("loss", ["pair", "literal", "ema"])
def test_padding_has_no_code_no_penalty_and_no_gradient(loss: str) -> None:
    """(1, 0) alone: .5 times the loss's factor, whatever stands in the padding."""
    mask = torch.tensor([[True, False]])
    factor = {"pair": 1.25, "literal": 1.0, "ema": 0.25}[loss]
    for noise in (0.0, 7.0):
        book = two_codes(loss=loss).train()
        items = torch.tensor([[[1.0, 0.0], [noise, noise]]], requires_grad=True)
        coded = book(Histories.of(mask.long(), items))
        assert coded.indices.tolist() == [[0, -1]]
        assert float(coded.loss.detach()) == pytest.approx(
            0.5 * factor if loss != "ema" else coded_ema(0.5)
        )
        coded.loss.backward()
        assert items.grad is not None
        assert not items.grad[0, 1].any()
        assert book.code_vectors[1].tolist() == [10.0, 0.0]


def coded_ema(start: float) -> float:
    """Return the loss after the code has moved, as it does first in training.

    A start weighs 1 / (1 - .99) = 100 hits, so the distance shrinks by 99 / 100.
    """
    return 0.25 * start * (0.99 * 100 / (0.99 * 100 + 1)) ** 2


def test_an_empty_batch_has_no_penalty() -> None:
    for loss in ("pair", "literal", "ema", "constant"):
        assert two_codes(loss=loss)(Histories.of((~ALL).long(), EMBEDDED)).loss == 0


def test_constant_codes_pass_no_gradient() -> None:
    items = EMBEDDED.clone().requires_grad_(True)
    coded = two_codes(loss="constant")(Histories.of(ALL.long(), items))
    assert not coded.items.requires_grad


def test_running_means_are_a_loop(vectors: Tensor, codes: Tensor) -> None:
    """Each code is the decayed mean of everything that hit it; its start counts as one hit."""
    book = NearestCodebook(30, 8, loss="ema", mlp=False).train()
    book.place(torch.arange(30), codes)
    means, hits = [row.clone() for row in codes], [1 / (1 - 0.99)] * 30
    mask = torch.rand(5, 6, generator=torch.Generator().manual_seed(2)) < 0.8
    for step in range(4):
        batch = vectors * (1 + 0.1 * step)
        found = book(Histories.of(mask.long(), batch)).indices
        old = torch.stack(means)
        for k in range(30):
            own = [
                batch[i, j]
                for i in range(5)
                for j in range(6)
                if mask[i, j] and nearest(batch[i, j], old) == k
            ]
            total = 0.99 * hits[k] + len(own)
            if own:
                means[k] = (0.99 * hits[k] * old[k] + torch.stack(own).sum(0)) / total
            hits[k] = total
        assert torch.equal(found == -1, ~mask)
        torch.testing.assert_close(book.code_vectors, torch.stack(means))
        torch.testing.assert_close(book.hits, torch.tensor(hits))


def nearest(vector: Tensor, codes: Tensor) -> int:
    return int((codes - vector).square().sum(1).argmin())


def test_running_means_stand_still_in_eval_mode(vectors: Tensor) -> None:
    book = NearestCodebook(3, 8, loss="ema").eval()
    before = {key: value.clone() for key, value in book.state_dict().items()}
    mask = torch.ones(5, 6, dtype=torch.bool)
    book(Histories.of(mask.long(), vectors))
    assert all(torch.equal(before[key], value) for key, value in book.state_dict().items())
    book.train()(Histories.of(mask.long(), vectors))
    assert not torch.equal(before["code_vectors"], book.code_vectors)


@pytest.mark.parametrize("loss", ["pair", "ema", "constant"])
def test_place_sets_some_codes(loss: str) -> None:
    torch.manual_seed(0)
    book = NearestCodebook(4, 2, loss=loss)  # type: ignore[arg-type]
    before = book.code_vectors.detach().clone()
    book.place(torch.tensor([2, 0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64))
    assert book.code_vectors[[2, 0]].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert torch.equal(book.code_vectors[[1, 3]], before[[1, 3]])
    assert book.code_vectors.requires_grad == (loss == "pair")


def test_the_mlp_adds_to_the_code_and_starts_at_zero(vectors: Tensor) -> None:
    torch.manual_seed(0)
    book = NearestCodebook(4, 8, hidden=16)
    assert book.mlp is not None
    mask = torch.ones(5, 6, dtype=torch.bool)
    coded = book(Histories.of(mask.long(), vectors))
    torch.testing.assert_close(coded.items, book.code_vectors[coded.indices])
    torch.nn.init.normal_(book.mlp[2].weight)
    code = book.code_vectors[coded.indices]
    hidden = torch.relu(code @ book.mlp[0].weight.T + book.mlp[0].bias)
    assert hidden.shape[-1] == 16
    read = book(Histories.of(mask.long(), vectors)).items
    torch.testing.assert_close(read, code + hidden @ book.mlp[2].weight.T + book.mlp[2].bias)


def test_gradient_descent_moves_codes_onto_the_embeddings() -> None:
    """One embedding at distance 1 of its code: the *pair* penalty alone brings the code there."""
    book = two_codes()
    target = torch.tensor([[[math.cos(1.0), math.sin(1.0)]]])
    for _ in range(100):
        book.zero_grad()
        book(Histories.of(ONE.long(), target)).loss.backward()
        with torch.no_grad():
            assert book.code_vectors.grad is not None
            book.code_vectors -= 0.3 * book.code_vectors.grad
    torch.testing.assert_close(book.code_vectors[0], target[0, 0])
    assert book.code_vectors[1].tolist() == [10.0, 0.0]


def test_an_item_has_the_code_of_its_semantic_id_however_far() -> None:
    """Items 1 and 3 share id 2, item 2 has id 1; padding has none. The nearest codes are others."""
    book = SemanticCodebook(2, 2, mlp=False, semantic_of_item=torch.tensor([0, 2, 1, 2]))
    book.place(torch.tensor([0, 1]), torch.tensor([[0.0, 0.0], [10.0, 0.0]]))
    history = torch.tensor([[1, 2, 3, 0]])
    near = torch.tensor([[[0.0, 0.0], [10.0, 0.0], [0.0, 0.0], [5.0, 5.0]]])
    coded = book(Histories.of(history, near))
    assert coded.indices.tolist() == [[1, 0, 1, -1]]
    assert coded.items[0, :3].tolist() == [[10.0, 0.0], [0.0, 0.0], [10.0, 0.0]]
    assert float(coded.loss.detach()) == pytest.approx(1.25 * 100 / 2)
    assert nearest_code(near, book.code_vectors)[0, :3].tolist() == [0, 1, 0]


def test_only_searched_codes_that_learn_may_move_elsewhere() -> None:
    assert NearestCodebook(2, 2).movable
    assert not NearestCodebook(2, 2, loss="constant").movable
    assert not SemanticCodebook(2, 2, semantic_of_item=torch.tensor([0, 1, 2])).movable


def test_an_item_counts_once_however_often_it_is_seen() -> None:
    """Two events of item 1, one of item 2: items weigh the same, 1 / n at each of n events."""
    codebook = SemanticCodebook(2, 2, semantic_of_item=torch.tensor([0, 1, 2]), mlp=False)
    codebook.code_vectors.data.zero_()
    history, vectors = (
        torch.tensor([[1, 1, 2]]),
        torch.tensor([[[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]]]),
    )
    assert codebook(Histories.of(history, vectors)).loss.item() == pytest.approx(
        1.25 * (1 + 1 + 4) / 3
    )
    codebook.set_item_frequencies(torch.tensor([0, 2, 1]))
    assert codebook(Histories.of(history, vectors)).loss.item() == pytest.approx(
        1.25 * (1 / 2 + 1 / 2 + 4) / 3
    )
    assert set(codebook.state_dict()) == {"code_vectors", "semantic_of_item"}


def test_searched_codes_count_every_event() -> None:
    codebook = NearestCodebook(2, 2, mlp=False)
    codebook.set_item_frequencies(torch.tensor([0, 2, 1]))
    assert set(codebook.state_dict()) == {"code_vectors"}
    history, vectors = (
        torch.tensor([[1, 1, 2]]),
        torch.tensor([[[1.0, 1.0], [1.0, 1.0], [2.0, 2.0]]]),
    )
    codebook.code_vectors.data.zero_()
    assert codebook(Histories.of(history, vectors)).loss.item() == pytest.approx(
        1.25 * (1 + 1 + 4) / 3
    )
