"""What may choose an epoch: a known metric, under one of the protocols."""

from __future__ import annotations

import pytest

from solidrec.errors import UsageError
from solidrec.selection import Selection
from solidrec.spec import TrainSpec


@pytest.mark.parametrize(
    ("text", "protocol", "metric"),
    [("UAUC", "paper", "UAUC"), ("full NDCG@10", "full", "NDCG@10"), ("full MRR", "full", "MRR")],
)
def test_full_before_the_metric_is_the_whole_catalogue(
    text: str, protocol: str, metric: str
) -> None:
    assert Selection.of(text) == (protocol, metric)
    assert TrainSpec(select=text).selection == Selection.of(text)


@pytest.mark.parametrize(("text", "near"), [("NDGC@10", "NDCG@10"), ("full Recal@5", "Recall@5")])
def test_an_unknown_metric_is_named_with_the_nearest(text: str, near: str) -> None:
    with pytest.raises(UsageError, match=f"unknown name '{text}'; did you mean '{near}'"):
        TrainSpec.parse({"select": text})
