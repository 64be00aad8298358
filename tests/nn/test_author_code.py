"""The released code's trunk and branch: what its consistency term compares, and what it moves."""

from __future__ import annotations

import torch

from solidrec.nn.author_code import AuthorCode
from solidrec.nn.codebook import Codebook, NearestCodebook
from solidrec.nn.generator import Generator
from solidrec.nn.histories import Histories
from solidrec.nn.sources import Branch, Trunk, TrunkAndBranch

D = 4
SLOTS = {"a": (2, 3), "b": (3,)}
SEMANTIC_OF_ITEM = torch.tensor([0, 2, 1, 2, 1, 3])
HISTORY = torch.tensor([[1, 2, 0], [3, 4, 5], [0, 0, 0]])
TABLE = torch.randn(6, D, generator=torch.Generator().manual_seed(0))
ITEMS = TABLE[HISTORY] * (HISTORY > 0)[..., None]


def parts(codebook: Codebook | None = None) -> tuple[Trunk, Branch]:
    torch.manual_seed(1)
    trunk = Trunk(Generator(SLOTS, D), SEMANTIC_OF_ITEM, D)
    return trunk, Branch(Generator(SLOTS, D), codebook=codebook, clip=0.01)


def constant_codes() -> NearestCodebook:
    torch.manual_seed(3)
    return NearestCodebook(3, D, loss="constant")


def test_the_penalty_compares_the_semantic_history_with_the_codes_of_the_item_history() -> None:
    """Fault 3 of the released code, by a loop; it can move the semantic table alone."""
    book = constant_codes()
    source = AuthorCode(*parts(book))
    generated = source(Histories.of(HISTORY, ITEMS))
    squares = []
    for user, row in enumerate(HISTORY.tolist()):
        for position, item in enumerate(row):
            if item:
                code = (ITEMS[user, position] - book.code_vectors).square().sum(1).argmin()
                semantic = source.trunk.semantics.weight[SEMANTIC_OF_ITEM[item]]
                squares.append((semantic - book.code_vectors[code]).square().mean())
    torch.testing.assert_close(generated.codebook_loss, torch.stack(squares).mean())
    generated.codebook_loss.backward()
    assert {
        name for name, p in source.named_parameters() if p.grad is not None and p.grad.any()
    } == {"trunk.semantics.weight"}


def test_without_a_codebook_there_is_no_penalty() -> None:
    assert AuthorCode(*parts())(Histories.of(HISTORY, ITEMS)).codebook_loss == 0


def test_the_weights_are_those_of_trunk_and_branch() -> None:
    histories = Histories.of(HISTORY, ITEMS)
    released = AuthorCode(*parts(constant_codes()))(histories)
    printed = TrunkAndBranch(*parts(constant_codes()))(histories)
    for slot in SLOTS:
        assert torch.equal(released.weights.tensors[slot], printed.weights.tensors[slot])
    assert released.codebook_loss > printed.codebook_loss == 0


def test_only_the_projections_of_both_generators_are_frozen() -> None:
    source = AuthorCode(*parts(constant_codes()))
    frozen = {name for name, p in source.named_parameters() if not p.requires_grad}
    assert frozen == {name for name, _ in source.named_parameters() if ".projections." in name}
    assert {name.split(".")[0] for name in frozen} == {"trunk", "branch"}


def test_its_parts_are_those_of_trunk_and_branch() -> None:
    trunk, branch = parts(constant_codes())
    assert list(AuthorCode(trunk, branch).parts()) == [*trunk.parts(), *branch.parts()]
