from __future__ import annotations

import pytest

from solidrec.epochs import score_of, select_of

VALID = {"UAUC": 0.7, "NDCG@10": 0.1}


@pytest.mark.parametrize(
    ("row", "name", "score"),
    [
        ({"valid": VALID}, "UAUC", 0.7),  # as 0.1 logged it
        ({"valid": VALID, "select": "NDCG@10"}, "NDCG@10", 0.1),
        ({"valid": VALID, "select": "full NDCG@10"}, "full NDCG@10", 0.1),
        ({"valid": None}, "UAUC", None),
        ({"valid": {}, "select": "MRR"}, "MRR", None),
    ],
)
def test_the_metric_that_judged_an_epoch(
    row: dict[str, object], name: str, score: float | None
) -> None:
    assert (select_of(row), score_of(row)) == (name, score)
