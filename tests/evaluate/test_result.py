from __future__ import annotations

import json

import numpy as np
import pytest

from solidrec.evaluate.intervals import bootstrap_mean
from solidrec.evaluate.result import GROUPS, Evaluation, number

NAN = float("nan")


def evaluation(**changes: object) -> Evaluation:
    """Three rows of two users: user 7 has two targets, user 3 one that could not be ranked."""
    fields = {
        "protocol": "paper",
        "split": "test",
        "users": np.array([7, 7, 3]),
        "negatives": 99,
        "auc": 0.75,
        "values": {
            name: np.array([1.0, 0.0, NAN]) for name in ("UAUC", "NDCG@10", "Recall@10", "LogLoss")
        },
        "coverage": 0.5,
        "training_count": np.array([0, 4, 5]),
    }
    return Evaluation(**(fields | changes))  # type: ignore[arg-type]


def test_a_users_rows_are_averaged_before_users_are() -> None:
    values = {"UAUC": np.array([1.0, 0.0, 0.2])}
    found = evaluation(values=values)
    assert found.per_user["UAUC"].tolist() == [0.2, (1 + 0) / 2]
    assert found.metrics == {"AUC": 0.75, "UAUC": pytest.approx((0.2 + 0.5) / 2)}


def test_a_user_without_anything_to_rank_takes_no_part_and_is_counted() -> None:
    found = evaluation()
    assert found.metrics["UAUC"] == (1 + 0) / 2
    summary = found.summary()
    assert (summary["users"], summary["skipped"]) == (2, 1)


def test_intervals_are_over_users_and_contain_the_mean() -> None:
    rng = np.random.default_rng(0)
    values = {"UAUC": rng.random(200)}
    found = evaluation(values=values, users=np.arange(200), training_count=np.ones(200))
    low, high = found.intervals()["UAUC"]
    assert [low, high] == list(bootstrap_mean(values["UAUC"]))
    assert low is not None
    assert high is not None
    assert low < values["UAUC"].mean() < high
    narrow = found.intervals(level=0.5)["UAUC"]
    assert narrow[0] is not None
    assert low < narrow[0]


def test_a_popular_target_counts_for_less_when_debiased() -> None:
    """Weights (n + 1)^-1/2: 1 for n = 0 training events, 1 / 2 for n = 3; NaN takes no part."""
    values = {"NDCG@10": np.array([1.0, 0.0, NAN]), "Recall@10": np.array([0.0, 1.0, NAN])}
    found = evaluation(values=values, training_count=np.array([0, 3, 99]))
    assert found.debiased() == {"NDCG@10": 1 / (1 + 1 / 2), "Recall@10": (1 / 2) / (1 + 1 / 2)}
    even = evaluation(values=values, training_count=np.array([3, 3, 0]))
    assert even.debiased()["NDCG@10"] == even.metrics["NDCG@10"]
    assert evaluation(values={"NDCG@10": np.full(3, NAN)}).debiased() == {"NDCG@10": None}


def test_the_borders_of_cold_rare_and_warm() -> None:
    assert [*GROUPS] == ["cold", "rare", "warm"]
    counts = np.array([0, 1, 4, 5, 1000])
    values = {"UAUC": np.array([0.1, 0.2, 0.4, 0.5, 0.7])}
    groups = evaluation(values=values, users=np.arange(5), training_count=counts).groups()
    assert groups["cold"] == {"targets": 1, "UAUC": 0.1}
    assert groups["rare"] == {"targets": 2, "UAUC": pytest.approx((0.2 + 0.4) / 2)}
    assert groups["warm"] == {"targets": 2, "UAUC": pytest.approx((0.5 + 0.7) / 2)}


def test_an_empty_group_has_no_metric() -> None:
    groups = evaluation(training_count=np.array([0, 0, 0])).groups()
    assert groups["warm"] == {"targets": 0, "UAUC": None, "NDCG@10": None, "Recall@10": None}


def test_where_nothing_could_be_ranked_there_is_none_and_no_error() -> None:
    nothing = {"UAUC": np.full(3, NAN), "NDCG@10": np.full(3, NAN)}
    summary = evaluation(values=nothing, auc=NAN).summary()
    assert summary["metrics"] == {"AUC": None, "UAUC": None, "NDCG@10": None}
    assert summary["intervals"] == {"UAUC": [None, None], "NDCG@10": [None, None]}
    assert summary["skipped"] == 3


def test_the_summary_is_plain_json_with_its_protocol() -> None:
    summary = evaluation().summary()
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert {key: summary[key] for key in ("protocol", "split", "negatives", "coverage@10")} == {
        "protocol": "paper",
        "split": "test",
        "negatives": 99,
        "coverage@10": 0.5,
    }
    assert [*summary["targets"]] == ["cold", "rare", "warm"]


def test_numbers_are_plain() -> None:
    assert number(np.float32(0.5)) == 0.5
    assert type(number(np.float64(0.5))) is float
    assert number(NAN) is None
