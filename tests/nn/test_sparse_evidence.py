"""Sparse evidence is that of the experts, for the items that it lists and for all others."""

from __future__ import annotations

import pytest
import torch
from tests.nn.large import EVERYTHING, L, V, histories, large

from solidrec.nn.evidence import statistics
from solidrec.nn.sparse_evidence import SparseEvidence, groups, largest, members


@pytest.mark.parametrize("recent", [False, True])
def test_it_is_what_the_experts_say_of_any_item(recent: bool) -> None:
    experts, asked = large("mixture", recent=recent).experts, histories()
    with torch.no_grad():
        sparse, dense = SparseEvidence(experts, asked), experts(asked)
        found = sparse.at(torch.arange(len(asked))[:, None], EVERYTHING.expand(len(asked), -1) - 1)
    for one, other in zip(found, dense, strict=True):
        torch.testing.assert_close(one, other.expand(one.shape))
    # Whatever log and content speak of is known, and most items are not.
    spoken = (dense.counted[:3] > 0).any(0)
    known = torch.zeros(len(asked), V, dtype=torch.bool)
    known.scatter_(1, torch.where(sparse.own, sparse.known, 0), True)
    assert (known | ~spoken).all()
    assert known.float().mean() < 0.5
    for row, own in zip(sparse.known, sparse.own, strict=True):
        assert (row[own].diff() > 0).all()


def test_its_statistics_are_those_of_the_whole_catalogue() -> None:
    """Also where evidence is equal, so that it matters which items count as the ten best."""
    experts, asked = large("mixture").experts, histories()
    with torch.no_grad():
        sparse, dense = SparseEvidence(experts, asked), experts(asked)
        found = sparse.statistics(sparse.at(torch.arange(len(asked))[:, None], sparse.known))
        expected = statistics(dense, asked, experts.counts)
    torch.testing.assert_close(found, expected)
    tenth, eleventh = dense.counted[0].topk(11).values[:, -2:].T
    assert ((tenth == eleventh) & (tenth > 0)).any()  # else nothing was equal


def test_groups_and_their_members_cover_whole_groups() -> None:
    scores = torch.randn(3, 16 * 5 + 7, generator=torch.Generator().manual_seed(0))
    inside = members(torch.arange(5), scores.shape[1])
    assert sorted(inside.flatten().tolist()) == list(range(16 * 5))
    torch.testing.assert_close(groups(scores), scores[:, inside].amax(2))


@pytest.mark.parametrize("k", [1, 10, L + 128, V // 2, 2 * V])
def test_the_largest_are_those_of_a_sort(k: int) -> None:
    scores = torch.randn(4, V, generator=torch.Generator().manual_seed(k))
    scores[0, -3:], scores[1, 0] = 9.0, 10.0  # in no whole group, in the first one
    values, columns = largest(scores, k)
    torch.testing.assert_close(values, scores.sort(1, descending=True).values[:, :k])
    torch.testing.assert_close(scores.gather(1, columns), values)
