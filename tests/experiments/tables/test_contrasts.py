"""Differences between rows: over which users and seeds, and what counts as a gain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.experiments.tables.test_comparisons import grid, row

from solidrec.evaluate.intervals import holm
from solidrec.evaluate.significance import MODELS_ONLY, crossed
from solidrec.experiments.tables.comparisons import comparisons
from solidrec.experiments.tables.contrasts import _estimate, compare_rows, contrasts


def test_seeds_pair_up_by_their_number():
    one, other = row("a", seeds=(1, 2, 3)), row("b", seeds=(3, 1, 7))
    found = contrasts(comparisons([other, one], metrics=["UAUC"]))[0]
    a, b = one.per_user["UAUC"], other.per_user["UAUC"]
    assert found.found == crossed(np.stack([a[0] - b[1], a[2] - b[0]]))
    assert found.note == "2 common seeds of 3"


def test_beside_a_baseline_the_seeds_of_the_other_count():
    base = replace(row("base", seeds=(0,)), deterministic=True)
    one = row("a", seeds=(4, 5, 6))
    expected = crossed(one.per_user["UAUC"] - base.per_user["UAUC"])
    assert _estimate(comparisons([base, one])[0]) == expected
    assert contrasts(comparisons([base, one]))[0].note == ""


def test_two_baselines_vary_over_users_alone():
    rows = [replace(row(name, seeds=(0,)), deterministic=True) for name in ("a", "b")]
    found = contrasts(comparisons(rows))[0]
    assert found.found == crossed(
        rows[1].per_user["UAUC"] - rows[0].per_user["UAUC"], trained=False
    )
    assert (found.p is not None, found.note) == (True, "")


def test_one_common_seed_earns_nothing_however_large_the_difference():
    found = contrasts(comparisons([row("a", seeds=(0,)), row("b", seeds=(0, 1), gain=0.5)]))[0]
    assert (found.p, found.star, found.note) == (None, False, MODELS_ONLY)
    assert found.found.low > 0.4


def test_no_common_seed_is_said_and_not_compared():
    found = contrasts(comparisons([row("a", seeds=(0,)), row("b", seeds=(1,))]))[0]
    assert (found.found, found.p, found.star) == (None, None, False)
    assert "no common seed" in found.note


def test_the_mean_over_backbones_averages_users_first():
    rows = grid("duet", "solid-duet")
    mean = next(each for each in comparisons(rows) if each.one.startswith("mean"))
    of = {each.name: each.per_user["UAUC"] for each in rows}
    gaps = [
        of[f"{backbone} · solid-duet"] - of[f"{backbone} · duet"] for backbone in ("din", "sasrec")
    ]
    assert _estimate(mean) == crossed((gaps[0] + gaps[1]) / 2)


def test_p_is_corrected_over_the_whole_table_and_stars_are_gains():
    rows = [row("base"), row("better", gain=0.5), row("worse", gain=-0.5), row("same")]
    found = contrasts(comparisons(rows))
    assert len(found) == 6
    assert [each.p for each in found] == holm([_estimate(each.comparison).p for each in found])
    assert {each.comparison.one for each in found if each.star} == {"better"}


def test_two_results_are_compared_row_by_row():
    a, b = [row("x"), row("y"), row("gone")], [row("y", gain=0.5), row("new"), row("x")]
    found = compare_rows(a, b, metrics=["UAUC"])
    assert (found.only_a, found.only_b) == (("gone",), ("new",))
    x, y = found.contrasts
    assert (x.found.mean, x.p, x.star) == (0, 1, False)
    assert (round(y.found.mean, 9), y.star) == (0.5, True)
