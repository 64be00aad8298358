"""The counted experts are made of the training events alone, in the order of the mixture."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from solidrec.data.prepared import PreparedData
from solidrec.experts.counted import count, memory
from solidrec.experts.recency import recency
from solidrec.experts.transitions import transitions
from solidrec.nn.mixture import CONTENT, LOG

HISTORY = torch.tensor([[3, 9, 3, 40], [7, 0, 0, 0]])


def by_hand(matrix: np.ndarray, history: list[int], decay: float) -> np.ndarray:
    """The rows of a history's items, each weighed by its decay to the power of its age."""
    items = [item for item in history if item]
    rows = (decay ** (len(items) - 1 - at) * matrix[item - 1] for at, item in enumerate(items))
    return np.sum(list(rows), axis=0)


@pytest.fixture
def similar() -> csr_array:
    rng = np.random.default_rng(0)
    return csr_array(rng.random((40, 40)) * (rng.random((40, 40)) < 0.2))


def test_a_memory_has_a_kind_for_each_matrix(similar: csr_array) -> None:
    dense = [similar.toarray(), similar.toarray().T]
    found = memory([similar, csr_array(similar.T)], (0.5, 0.9))(HISTORY)
    for kind, decay in enumerate((0.5, 0.9)):
        for row, history in enumerate(HISTORY.tolist()):
            expected = by_hand(dense[kind], history, decay)
            np.testing.assert_allclose(found[kind, row], expected, rtol=1e-5, atol=1e-7)


def test_the_memories_are_transitions_then_content_then_semantics(
    data: PreparedData, similar: csr_array
) -> None:
    found = count(data, similar, None)
    moved = transitions(data.event_items, data.offsets, data.train_end, items=40)
    log, content, semantic = found.memories
    matrices = zip(
        LOG + CONTENT, [*moved, similar], [*log(HISTORY), *content(HISTORY)], strict=True
    )
    for decay, matrix, evidence in matrices:
        for row, history in enumerate(HISTORY.tolist()):
            expected = by_hand(matrix.toarray(), history, decay)
            np.testing.assert_allclose(evidence[row], expected, rtol=1e-5, atol=1e-7)
    assert semantic(HISTORY).tolist() == [[pytest.approx([1.0] * 40)] * 2]  # one id: no evidence
    assert found.counts.tolist() == list(data.train_counts)


def test_of_several_levels_the_first_one_counts(data: PreparedData, similar: csr_array) -> None:
    first = torch.cat([torch.zeros(1), torch.arange(40) // 5 + 1]).long()
    levels = torch.stack([first, first % 3 + 9], 1)
    levels[0] = 0
    one, two = (count(data, similar, ids).memories[2](HISTORY) for ids in (first, levels))
    assert torch.equal(one, two)
    assert one.unique().numel() > 2


def test_recency_is_counted_on_demand(timed: PreparedData) -> None:
    empty = csr_array((len(timed.items), len(timed.items)))
    assert count(timed, empty, None).recent is None
    found = count(timed, empty, None, recent=True).recent
    assert found is not None
    assert found.tolist() == pytest.approx(recency(timed).tolist())
