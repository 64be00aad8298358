from __future__ import annotations

import numpy as np
import pytest

from solidrec.errors import DivergedError, UsageError
from solidrec.log_loss import log_loss
from solidrec.metrics import per_row_many, ranks
from solidrec.pooled_auc import _pooled_auc


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("column", [0, 2])
def test_a_score_that_is_not_finite_is_refused_by_row(bad, column):
    scores = np.zeros((4, 3))
    scores[2:, column] = bad
    labels = np.eye(1, 3).repeat(4, axis=0)
    for measure in (lambda x, _: ranks(x), per_row_many, log_loss, _pooled_auc):
        with pytest.raises(DivergedError, match=rf"^row 2: a score is {bad}; "):
            measure(scores, labels)
    with pytest.raises(DivergedError, match="row 2"):
        ranks(
            scores, column, mask=np.zeros((4, 3))
        )  # the target counts though the mask leaves it out


def test_wrong_shapes_are_refused():
    with pytest.raises(UsageError, match=r"scores of shape \(3,\)"):
        ranks(np.zeros(3))
    with pytest.raises(
        UsageError, match=r"labels of shape \(2, 2\) beside scores of shape \(2, 3\)"
    ):
        per_row_many(np.zeros((2, 3)), np.zeros((2, 2)))
