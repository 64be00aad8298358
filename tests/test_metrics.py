"""Ranking metrics against hand arithmetic, an enumeration of tie orders, and scikit-learn."""

from __future__ import annotations

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.metrics import ndcg_score, roc_auc_score

from solidrec import metrics
from solidrec.errors import UsageError
from solidrec.log_loss import log_loss
from solidrec.metrics import Ranks, by_user, mean, per_row, per_row_many, ranks
from solidrec.pooled_auc import _pooled_auc

KS = (1, 2, 3)
steady = settings(
    deadline=None, derandomize=True
)  # the same examples on every run, however busy the machine
TIED = st.sampled_from([-1.0, -0.0, 0.0, 0.5, 2.0])  # few values, so that most rows have ties


def tied_rows(shape):
    return arrays.arrays(np.float64, shape, elements=TIED)


def one_order(labels):
    """The metrics of labels in ranked order, as a book states them."""
    places = [place for place, label in enumerate(labels, start=1) if label]
    pairs = [(p, n) for p in places for n in range(1, len(labels) + 1) if n not in places]
    found = {"UAUC": sum(p < n for p, n in pairs) / len(pairs), "MRR": 1 / places[0]}
    for k in KS:
        best = sum(1 / math.log2(place + 1) for place in range(1, min(k, len(places)) + 1))
        found[f"NDCG@{k}"] = sum(1 / math.log2(place + 1) for place in places if place <= k) / best
        found[f"Recall@{k}"] = sum(place <= k for place in places) / len(places)
    return found


def naive(scores, labels):
    """The mean of the metrics over all orders in which no score precedes a higher one."""
    orders = [
        o
        for o in itertools.permutations(range(len(scores)))
        if all(scores[a] >= scores[b] for a, b in itertools.pairwise(o))
    ]
    each = [one_order([labels[i] for i in order]) for order in orders]
    return {name: sum(found[name] for found in each) / len(each) for name in each[0]}


def target_first(scores):
    return np.eye(1, scores.shape[1]).repeat(len(scores), axis=0)


def test_by_hand():
    # Row 0: two above the target, one tied with it, so place 3 or 4. Row 1: the target leads.
    found = per_row(
        ranks(np.array([[1.0, 2.0, 3.0, 1.0, 0.0], [9.0, 2.0, 3.0, 1.0, 0.0]])), ks=(2, 3)
    )
    assert found["UAUC"].tolist() == pytest.approx([(1 + 1 / 2) / 4, 1])
    assert found["MRR"].tolist() == pytest.approx([(1 / 3 + 1 / 4) / 2, 1])
    assert found["Recall@2"].tolist() == [0, 1]
    assert found["Recall@3"].tolist() == [1 / 2, 1]
    assert found["NDCG@2"].tolist() == [0, 1]
    assert found["NDCG@3"].tolist() == pytest.approx([1 / math.log2(3 + 1) / 2, 1])


def test_a_constant_scorer_reads_as_chance_whatever_the_target_column():
    for column in (0, 57, 99):
        found = per_row(ranks(np.full((3, 100), 0.7), column))
        assert found["UAUC"].tolist() == [0.5] * 3
        assert found["Recall@10"] == pytest.approx(10 / 100)
        assert found["NDCG@10"] == pytest.approx(
            sum(1 / math.log2(place + 1) for place in range(1, 11)) / 100
        )
        assert found["NDCG@10"].round(4).tolist() == [0.0454] * 3
        assert found["MRR"] == pytest.approx(sum(1 / place for place in range(1, 101)) / 100)


@steady
@given(tied_rows((3, 5)))
def test_one_target_is_the_mean_over_tie_orders(scores):
    found = per_row(ranks(scores), KS)
    for row, labels in enumerate(target_first(scores)):
        expected = naive(scores[row], labels)
        assert {name: value[row] for name, value in found.items()} == pytest.approx(expected)


@steady
@given(tied_rows((2, 5)), arrays.arrays(np.int8, (2, 5), elements=st.integers(0, 1)))
def test_many_targets_are_the_mean_over_tie_orders(scores, labels):
    found = per_row_many(scores, labels, KS)
    for row in range(2):
        got = {name: value[row] for name, value in found.items()}
        if 0 < labels[row].sum() < 5:
            assert got == pytest.approx(naive(scores[row], labels[row]))
        else:
            assert np.isnan(list(got.values())).all()


@steady
@given(tied_rows((4, 9)), st.integers(0, 8))
def test_both_ways_agree_on_one_target(scores, column):
    labels = np.zeros((4, 9))
    labels[:, column] = 1
    one, many = per_row(ranks(scores, column)), per_row_many(scores, labels)
    assert list(one) == list(many)
    for name in one:
        np.testing.assert_allclose(one[name], many[name], atol=1e-12)


def test_many_targets_against_scikit_learn():
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 12, (50, 40)).astype(np.float64), rng.integers(0, 2, (50, 40))
    found = per_row_many(scores, labels, (10,))
    assert found["UAUC"] == pytest.approx(
        [roc_auc_score(y, x) for y, x in zip(labels, scores, strict=True)]
    )
    assert mean(found["NDCG@10"])[0] == pytest.approx(
        ndcg_score(labels, scores, k=10, ignore_ties=False)
    )


def test_recall_divides_by_the_number_of_positives():
    found = per_row_many(np.array([[4.0, 3.0, 2.0, 1.0]]), np.array([[1, 1, 1, 0]]), (2,))
    assert found["Recall@2"].tolist() == [2 / 3]
    assert found["NDCG@2"].tolist() == [1]


@steady
@given(
    tied_rows((3, 6)),
    arrays.arrays(np.bool_, (3, 6)),
    st.sampled_from([-np.inf, np.inf, np.nan, 0.0, 9.0]),
)
def test_a_masked_column_is_as_good_as_absent(scores, mask, fill):
    before = mask.copy()
    hidden = np.where(mask, scores, fill)
    hidden[:, 0] = scores[:, 0]
    found = per_row(ranks(hidden, mask=mask), KS)
    assert (mask == before).all()
    mask[:, 0] = True
    labels = np.where(mask, target_first(scores), 1)  # a positive that is no candidate is none
    many = per_row_many(hidden, labels, KS, mask=mask)
    for row, kept in enumerate(mask):
        alone = per_row(ranks(scores[row : row + 1, kept]), KS)
        for name, value in alone.items():
            np.testing.assert_allclose(
                [found[name][row], many[name][row]], value[[0, 0]], atol=1e-12
            )


def test_the_target_column_may_differ_by_row():
    scores = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    assert ranks(scores, np.array([2, 0])).greater.tolist() == [0, 2]


def test_integer_scores_are_ranked_as_numbers():
    found = per_row_many(np.array([[0, 5, 2]], dtype=np.uint8), np.array([[0, 1, 0]]))
    assert found["UAUC"].tolist() == [1]


def test_a_lone_candidate_is_skipped_and_counted():
    one, many = per_row(ranks(np.ones((2, 1)))), per_row_many(np.ones((2, 1)), np.ones((2, 1)))
    assert [mean(value)[1] for value in one.values()] == [2] * 8
    assert [mean(value)[1] for value in many.values()] == [2] * 8
    assert math.isnan(mean(one["UAUC"])[0])


def test_no_rows_give_no_values():
    nothing = np.zeros((0, 4))
    assert [value.shape for value in per_row(ranks(nothing)).values()] == [(0,)] * 8
    assert [value.shape for value in per_row_many(nothing, nothing).values()] == [(0,)] * 8


def test_a_cut_off_below_one_is_refused():
    with pytest.raises(UsageError, match="cut-off of 0"):
        per_row(ranks(np.zeros((2, 3))), ks=(10, 0))


def test_ranks_of_batches_join():
    scores = np.random.default_rng(0).integers(0, 4, (7, 6)).astype(np.float32)
    joined, whole = Ranks.concatenate([ranks(scores[:3]), ranks(scores[3:])]), ranks(scores)
    for name in ("greater", "ties", "candidates"):
        assert getattr(joined, name).tolist() == getattr(whole, name).tolist()


def naive_standing(row, mask, column):
    others = [score for at, score in enumerate(row) if at != column and mask[at]]
    return (
        sum(s > row[column] for s in others),
        sum(s == row[column] for s in others),
        len(others) + 1,
    )


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("levels", [1, 3, 10**6])
def test_ranks_are_those_of_plain_loops(kind, levels):
    rng = np.random.default_rng(levels)
    scores = ((rng.integers(levels, size=(40, 60)) / levels - 0.5) * 40).astype(kind)
    mask, columns = rng.random(scores.shape) < 0.6, rng.integers(60, size=40)
    mask[np.arange(40), columns] = True
    low = np.where(mask, scores, -np.inf).astype(kind)
    expected = [
        naive_standing(*row) for row in zip(scores.tolist(), mask, columns.tolist(), strict=True)
    ]
    for found in (ranks(scores, columns, mask=mask), metrics.standing(low, columns)):
        assert [*zip(found.greater, found.ties, found.candidates, strict=True)] == expected


def test_a_user_counts_once_however_many_rows():
    values = np.array([1.0, 0.0, 0.5, np.nan, np.nan, 0.25])
    users, means = by_user(values, np.array([9, 9, 2, 2, 4, 5]))
    assert users.tolist() == [2, 4, 5, 9]
    np.testing.assert_equal(means, [0.5, np.nan, 0.25, (1 + 0) / 2])
    assert mean(means) == ((0.5 + 0.25 + 0.5) / 3, 1)


@pytest.mark.parametrize(
    "measure", [lambda x, y: per_row(ranks(x)), metrics.per_row_many, _pooled_auc, log_loss]
)
def test_ten_thousand_users_take_well_under_a_second(measure):
    scores = np.random.default_rng(0).normal(size=(10_000, 100)).astype(np.float32)
    labels = target_first(scores)
    start = time.process_time()
    measure(scores, labels)
    assert time.process_time() - start < 1.5  # some .05 to .2 s on one quiet core
