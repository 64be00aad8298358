"""Statistics of the evidence, number by number."""

from __future__ import annotations

import pytest
import torch

from solidrec.nn.evidence import KINDS, PAIRED, STATISTICS, Evidence, statistics


def test_statistics_say_what_they_promise() -> None:
    history = torch.tensor([[2, 4, 0]])
    neural = torch.log_softmax(torch.arange(12.0)[None], 1)
    known = torch.zeros(len(KINDS), 1, 12)
    known[0, 0, 11], known[1, 0, 11], known[1, 0, 0] = 0.1, 0.2, 0.4
    counts = torch.arange(13.0)
    found = statistics(Evidence(neural, known, counts[None, None, 1:]), history, counts)[0]
    assert found.shape == (STATISTICS,)
    log, log1p = torch.log, torch.log1p
    torch.testing.assert_close(found[0], log(torch.tensor(3.0)))
    torch.testing.assert_close(found[1], (log(torch.tensor(3.0)) + log(torch.tensor(5.0))) / 2)
    torch.testing.assert_close(found[2], log(torch.tensor(5.0)))
    torch.testing.assert_close(found[3], neural.max())
    torch.testing.assert_close(found[5], -(neural.exp() * neural).sum())
    torch.testing.assert_close(found[6], log1p(torch.tensor(2.0)))  # .1 / .05
    torch.testing.assert_close(found[8], log1p(torch.tensor(8.0)))
    torch.testing.assert_close(found[9], (log1p(torch.tensor(8.0)) + log1p(torch.tensor(4.0))) / 10)
    sums = 6 + 2 * (PAIRED - 1)
    torch.testing.assert_close(found[sums], log1p(torch.tensor(2.0)))
    torch.testing.assert_close(found[sums + 1], log1p(torch.tensor(12.0)))
    # the neural expert's ten best are all but items 2 and 4; the forward memory has item 12 alone
    pairs = [(a, b) for a in range(PAIRED) for b in range(a)]
    shares = dict(zip(pairs, found[sums + 2 :].tolist(), strict=True))
    assert shares == pytest.approx(
        {(1, 0): 0.1, (2, 0): 0.2, (2, 1): 0.1, (3, 0): 0, (3, 1): 0, (3, 2): 0}
    )


def test_what_a_history_holds_is_not_among_the_best() -> None:
    """The most probable item is in the history: another is the best."""
    neural = torch.log_softmax(torch.tensor([[5.0, 1.0, 0.0]]), 1)
    evidence = Evidence(neural, torch.zeros(len(KINDS), 1, 3), torch.ones(1, 1, 3))
    assert float(statistics(evidence, torch.tensor([[1]]), torch.ones(4))[0, 3]) == pytest.approx(
        float(neural[0, 1])
    )
