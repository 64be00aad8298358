"""Tests over users and seeds: exact laws where they exist, and the rate of false differences.

The simulations repeat whole experiments. "At most the level" is meant within four standard errors
of the repetitions.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from solidrec.errors import UsageError
from solidrec.evaluate.intervals import holm
from solidrec.evaluate.significance import LEVEL, _p, _reach, corrected, crossed, earns_star
from solidrec.metrics import per_row, ranks

SEED_SD, USER_SD = 0.003, 0.25


def at_most(share: float, level: float, repeats: int) -> bool:
    return bool(share <= level + 4 * np.sqrt(level * (1 - level) / repeats))


def gaps(
    rng: np.random.Generator, seeds: int, users: int, *, difference: float = 0.0, own: float = 0.3
) -> np.ndarray:
    """Return the gaps of two methods, each trained `seeds` times: a training's luck and taste.

    Taste is the users' preference; a share `own` of its variance belongs to the training.
    """
    luck = SEED_SD * (rng.normal(size=(seeds, 1)) - rng.normal(size=(seeds, 1)))
    taste = USER_SD * np.sqrt(1 - own) * rng.normal(size=users)
    return difference + luck + taste + USER_SD * np.sqrt(own) * rng.normal(size=(seeds, users))


@pytest.mark.parametrize("freedom", [1, 2, 4, 50, 8000])
@pytest.mark.parametrize("distance", [0.5, 2.0, 5.0])
def test_one_part_alone_is_students_t(freedom, distance):
    assert _p(distance, [(1.0, freedom)]) == pytest.approx(
        2 * stats.t.sf(distance, freedom), rel=1e-6
    )
    assert _reach(0.05, [(4.0, freedom)]) == pytest.approx(
        2 * stats.t.ppf(0.975, freedom), rel=1e-6
    )


def test_two_parts_are_the_sum_of_two_t_variables():
    rng = np.random.default_rng(0)
    drawn = np.abs(0.7 * rng.standard_t(2, 1_000_000) + 0.6 * rng.standard_t(9, 1_000_000))
    for distance in (1.0, 2.0, 5.0, 20.0):
        p = (drawn > distance).mean()
        assert _p(distance, [(0.49, 2), (0.36, 9)]) == pytest.approx(
            p, abs=5 * np.sqrt(p / len(drawn))
        )


def test_the_interval_is_where_p_is_the_level():
    parts = [(0.04, 99), (0.01, 2)]
    assert _p(_reach(0.05, parts), parts) == pytest.approx(0.05)


def test_the_estimate_is_that_of_its_two_variances():
    values = np.random.default_rng(1).normal(size=(3, 50))
    found = crossed(values)
    of_users, of_seeds = values.mean(0), values.mean(1)
    parts = [(of_users.var(ddof=1) / 50, 49), (of_seeds.var(ddof=1) / 3, 2)]
    assert found.mean == pytest.approx(values.mean())
    assert found.p == pytest.approx(_p(values.mean(), parts))
    assert (found.high - found.low) / 2 == pytest.approx(_reach(0.05, parts))
    assert found.effect == pytest.approx(values.mean() / of_users.std(ddof=1))
    assert (found.seeds, found.users, found.about_method) == (3, 50, True)


def test_what_is_not_trained_is_a_t_test_over_users():
    values = np.random.default_rng(2).normal(0.2, 1, size=(1, 60))
    found = crossed(values, trained=False)
    oracle = stats.ttest_1samp(values[0], 0)
    interval = oracle.confidence_interval(0.95)
    assert (found.p, found.low, found.high) == pytest.approx(
        (oracle.pvalue, interval.low, interval.high)
    )
    assert found.about_method


def test_one_seed_makes_no_claim_about_the_method():
    values = np.random.default_rng(2).normal(0.2, 1, size=(1, 60))
    one, none = crossed(values), crossed(values, trained=False)
    assert (one.p, one.about_method) == (None, False)
    assert (one.mean, one.low, one.high) == (none.mean, none.low, none.high)


def test_one_user_makes_no_claim_at_all():
    found = crossed(np.array([[0.25], [0.75]]))
    assert (found.mean, found.low, found.high, found.p, found.effect) == (0.5, 0.5, 0.5, None, None)


def test_equal_values_are_no_difference_and_of_constant_ones_the_variance_is_not_known():
    assert crossed(np.zeros((3, 5))).p == 1
    constant = crossed(np.full((3, 5), 0.5))
    assert (constant.mean, constant.p, constant.effect) == (0.5, None, None)


def test_users_skipped_in_any_seed_take_no_part():
    values = np.random.default_rng(3).normal(size=(2, 9))
    gap = values.copy()
    gap[1, 4] = np.nan
    assert crossed(gap) == crossed(np.delete(values, 4, axis=1))


def test_the_other_way_round_only_turns_the_sign():
    values = np.random.default_rng(4).normal(0.3, 1, size=(3, 20))
    there, back = crossed(values), crossed(-values)
    assert (there.mean, there.low, there.high, there.p) == pytest.approx(
        (-back.mean, -back.high, -back.low, back.p)
    )


@pytest.mark.parametrize(
    ("seeds", "users", "own"),
    [(2, 2000, 0.3), (3, 1000, 0.3), (3, 8000, 0.0), (5, 1000, 1.0), (5, 4000, 0.3)],
)
def test_equal_methods_are_called_different_no_more_often_than_the_level_says(seeds, users, own):
    rng, repeats = np.random.default_rng([5, seeds, users]), 300
    p = np.array([crossed(gaps(rng, seeds, users, own=own)).p for _ in range(repeats)])
    assert at_most((p < 0.05).mean(), 0.05, repeats)
    assert at_most((p < 0.2).mean(), 0.2, repeats)


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("level", [0.05, 0.005])
def test_the_level_holds_whatever_the_share_of_the_seeds_in_the_variance(seeds, share, level):
    """Without users, by the law of two variances: 20,000 experiments, a critical value a share."""
    rng, repeats, users = np.random.default_rng([6, seeds]), 20_000, 4000
    mean = rng.normal(size=repeats)
    of_users = (1 - share) * rng.chisquare(users - 1, repeats) / (users - 1)
    of_seeds = share * rng.chisquare(seeds - 1, repeats) / (seeds - 1)
    found = np.linspace(0, 1, 41)
    critical = [_reach(level, [(1 - one, users - 1), (one, seeds - 1)]) for one in found]
    scale = np.sqrt(of_users + of_seeds)
    assert at_most(
        (np.abs(mean) / scale > np.interp(of_seeds / scale**2, found, critical)).mean(),
        level,
        repeats,
    )


def test_welch_and_satterthwaite_would_not_hold_it():
    """Why there is no single t: with three seeds it stars 3 times too much at Holm's levels."""
    rng, repeats = np.random.default_rng(7), 50_000
    of_seeds = 0.9 * rng.chisquare(2, repeats) / 2
    variance = 0.1 + of_seeds
    p = 2 * stats.t.sf(
        np.abs(rng.normal(size=repeats)) / np.sqrt(variance), 2 * (variance / of_seeds) ** 2
    )
    assert (p < 0.005).mean() > 3 * 0.005


def test_users_alone_would_call_two_seeds_of_one_model_different():
    """Such a test takes a training's luck for the method's effect."""
    rng, repeats = np.random.default_rng(8), 50
    found = [gaps(rng, 1, 8000)[0] for _ in range(repeats)]
    assert all(crossed(gap[None]).p is None for gap in found)
    p = np.array([crossed(gap[None], trained=False).p for gap in found])
    assert not at_most((p <= 0.05).mean(), 0.05, repeats)


@pytest.mark.parametrize(("seeds", "users", "difference"), [(3, 4000, 0.05), (5, 8000, 0.015)])
def test_a_large_difference_is_found(seeds, users, difference):
    rng = np.random.default_rng(9)
    found = [crossed(gaps(rng, seeds, users, difference=difference)) for _ in range(60)]
    assert np.mean([each.p < 0.05 for each in found]) > 0.9
    assert np.mean([each.low < difference < each.high for each in found]) > 0.9


def test_the_interval_covers_the_truth_at_least_as_often_as_it_says():
    rng, repeats = np.random.default_rng(10), 300
    found = [crossed(gaps(rng, 3, 1000, difference=0.02)) for _ in range(repeats)]
    assert at_most(np.mean([not each.low < 0.02 < each.high for each in found]), 0.05, repeats)


def test_scores_against_shuffled_labels_differ_no_more_often_than_the_level_says():
    """Two models whose scores know nothing of the target, on real metrics."""
    rng, repeats, seeds, users, candidates = np.random.default_rng(11), 250, 3, 100, 20
    uauc = []
    for _ in range(2):
        scores = rng.normal(size=(repeats * seeds * users, candidates)).astype(np.float32)
        shuffled = rng.integers(candidates, size=len(scores))
        uauc.append(
            per_row(ranks(scores, shuffled), ks=(10,))["UAUC"].reshape(repeats, seeds, users)
        )
    assert np.mean(uauc) == pytest.approx(0.5, abs=0.01)
    tests = [crossed(gap).p for gap in uauc[0] - uauc[1]]
    assert at_most(np.mean([p < 0.05 for p in tests]), 0.05, repeats)
    tables = np.reshape(
        tests, (-1, 5)
    )  # and a table of five comparisons has a star at most so often
    assert at_most(np.mean([min(holm(table)) < LEVEL for table in tables]), 0.05, len(tables))


def test_untested_differences_are_no_part_of_the_family():
    assert corrected([0.02, None, 0.03]) == [0.04, None, 0.04]
    assert corrected([None]) == [None]
    assert corrected([]) == []


def test_a_star_is_for_a_significant_gain_alone():
    assert earns_star(0.1, 0.049)
    assert not any(
        earns_star(mean, p) for mean, p in [(-0.1, 0.001), (0.1, 0.05), (0.1, None), (0.0, 1.0)]
    )


def test_what_cannot_be_estimated_is_refused():
    with pytest.raises(UsageError, match="without a counted user"):
        crossed(np.full((2, 3), np.nan))
    with pytest.raises(UsageError, match=r"shape \(3,\)"):
        crossed(np.zeros(3))
    with pytest.raises(UsageError, match="level 95"):
        crossed(np.zeros((2, 3)), level=95)
    with pytest.raises(UsageError, match="2 seeds of what is not trained"):
        crossed(np.zeros((2, 3)), trained=False)
