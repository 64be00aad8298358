"""Intervals against normal theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from solidrec.errors import UsageError
from solidrec.evaluate import intervals
from solidrec.evaluate.intervals import bootstrap_mean


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_interval_is_the_normal_one_for_many_users(level):
    values = np.random.default_rng(1).exponential(size=2000)
    low, high = bootstrap_mean(values, level=level, draws=4000)
    reach = stats.norm.ppf((1 + level) / 2) * values.std() / np.sqrt(2000)
    assert low == pytest.approx(values.mean() - reach, abs=0.08 * reach)
    assert high == pytest.approx(values.mean() + reach, abs=0.08 * reach)


@pytest.mark.parametrize("users", [5, 943])
def test_the_interval_is_that_of_scipy(users):
    values = np.random.default_rng(users).random(users)
    found = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=500,
        confidence_level=0.9,
        method="percentile",
        rng=np.random.default_rng([3, 0]),
    ).confidence_interval
    assert bootstrap_mean(values, level=0.9, draws=500, seed=3) == pytest.approx(found, rel=1e-12)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    ends = np.array(
        [bootstrap_mean(rng.normal(size=80), draws=300, seed=seed) for seed in range(300)]
    )
    covered = ((ends[:, 0] < 0) & (ends[:, 1] > 0)).mean()
    assert abs(covered - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 300)


def test_the_seed_decides_and_the_chunks_do_not_matter(monkeypatch):
    values = np.random.default_rng(6).random(101)
    once = bootstrap_mean(values, seed=1)
    assert once == bootstrap_mean(values, seed=1)
    assert once != bootstrap_mean(values, seed=2)
    monkeypatch.setattr(intervals, "_CELLS", 1)  # a draw at a time
    low, high = bootstrap_mean(values, seed=1)
    assert abs(low - once[0]) + abs(high - once[1]) < 0.02  # another stream, the same interval


def test_skipped_users_take_no_part():
    values, gap = np.random.default_rng(7).random(60), np.array([np.nan] * 5)
    assert bootstrap_mean(np.concatenate([gap, values])) == bootstrap_mean(values)


def test_one_user_has_an_interval_of_no_width():
    assert bootstrap_mean(np.array([0.25])) == (0.25, 0.25)


def test_what_cannot_be_resampled_is_refused():
    with pytest.raises(UsageError, match="without a counted user"):
        bootstrap_mean(np.array([np.nan]))
    with pytest.raises(UsageError, match="level 95"):
        bootstrap_mean(np.zeros(3), level=95.0)
    with pytest.raises(UsageError, match="0 draws"):
        bootstrap_mean(np.zeros(3), draws=0)
