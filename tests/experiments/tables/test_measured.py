"""A row of a table: what it says of its seeds, and parts that do not fit together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from solidrec.errors import UsageError
from solidrec.experiments.tables.measured import Measured

USERS = np.array([2, 5, 9])
VALUES = np.array([[0.1, 0.2, 0.9], [0.3, 0.2, np.nan]])


def row(**changes: object) -> Measured:
    metrics = ({"AUC": 0.5, "UAUC": 0.4, "MRR": None}, {"AUC": 0.7, "UAUC": 0.25, "MRR": 0.5})
    return replace(
        Measured("m", {}, (0, 1), "paper", "d", USERS, metrics, {"UAUC": VALUES}), **changes
    )


def test_means_and_spreads_are_over_seeds():
    assert row().of_seeds("AUC") == (0.5, 0.7)
    assert row().mean("AUC") == (0.5 + 0.7) / 2
    assert row().spread("AUC") == pytest.approx(np.sqrt(0.1**2 + 0.1**2))


@pytest.mark.parametrize("metric", ["MRR", "Recall@5"])
def test_what_was_not_measured_in_every_seed_has_no_mean(metric):
    assert (row().of_seeds(metric), row().mean(metric), row().spread(metric)) == (None, None, None)


def test_one_seed_has_no_spread():
    one = row(seeds=(3,), metrics=({"UAUC": 0.4},), per_user={"UAUC": VALUES[:1]})
    assert (one.mean("UAUC"), one.spread("UAUC")) == (0.4, None)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"seeds": ()}, "2 measurements"),
        ({"seeds": (1, 1)}, "2 measurements"),
        ({"metrics": ({},)}, "1 measurements"),
        ({"users": USERS[::-1]}, "not sorted"),
        ({"users": np.array([2, 2, 9])}, "twice"),
        ({"per_user": {"UAUC": VALUES.T}}, r"\(3, 2\); its seeds and users make \(2, 3\)"),
    ],
)
def test_parts_that_do_not_fit_are_refused(changes, text):
    with pytest.raises(UsageError, match=text):
        row(**changes)
