"""Perturbations against lists edited by hand, rank-biased overlap against a loop and its bounds."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.evaluate.perturb import PERTURBATIONS, _below, rbo, uniforms

LENGTH, ITEMS = 6, 40
P = 0.9


@pytest.fixture(scope="module")
def histories():
    """Histories of every length 0..6, thirty of each, padded with 0 on the right."""
    rng = np.random.default_rng(0)
    lengths = np.repeat(np.arange(LENGTH + 1), 30)
    return (
        rng.integers(1, ITEMS + 1, (len(lengths), LENGTH)) * (np.arange(LENGTH) < lengths[:, None])
    ).astype(np.int32)


@pytest.fixture(scope="module")
def draws(histories):
    return np.random.default_rng(1).random(len(histories))


def by_hand(kind, history, draw):
    """The perturbed list, from the plain one."""
    n = len(history)
    at = int(draw * n)
    if kind == "swap" and n > 1:
        at = int(draw * (n - 1))
        return [*history[:at], history[at + 1], history[at], *history[at + 2 :]]
    if kind == "drop" and n:
        return history[:at] + history[at + 1 :]
    if kind == "duplicate" and n:
        return [*history[: at + 1], *history[at:]][-LENGTH:]
    if kind == "add":
        return [*history, 1 + int(draw * ITEMS)][-LENGTH:]
    return history


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_each_is_the_edit_of_a_list_and_padding_stays_on_the_right(kind, histories, draws):
    found = PERTURBATIONS[kind][0](histories, draws, ITEMS)
    assert found.shape == histories.shape
    for row, history, draw in zip(found.tolist(), histories.tolist(), draws.tolist(), strict=True):
        expected = by_hand(kind, [item for item in history if item], draw)
        assert row == expected + [0] * (LENGTH - len(expected))


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_a_history_long_enough_changes_and_a_shorter_one_does_not(kind, draws):
    perturb, needed = PERTURBATIONS[kind]
    distinct = np.arange(1, LENGTH + 1) * np.tri(
        LENGTH + 1, LENGTH, -1, dtype=np.int64
    )  # row n holds items 1..n
    for draw in draws[:40]:
        changed = (perturb(distinct, np.full(LENGTH + 1, draw), ITEMS) != distinct).any(1)
        assert changed[max(needed, 1) : LENGTH].all()
        assert not changed[:needed].any()


def test_every_place_and_every_item_has_its_turn():
    history, draws = np.tile(np.arange(1, 6), (2000, 1)), np.random.default_rng(2).random(2000)
    dropped = 15 - PERTURBATIONS["drop"][0](history, draws, ITEMS).sum(1)
    assert np.bincount(dropped)[1:].min() > 2000 / 5 * 0.8
    added = PERTURBATIONS["add"][0](history, draws, ITEMS)[:, -1]
    assert set(added.tolist()) == set(range(1, ITEMS + 1))
    assert _below(np.array([1 - 2**-53]), 3).tolist() == [2]


def test_what_is_drawn_depends_on_seed_and_user_alone():
    users = np.array([9, 2, 5, 2])
    whole = uniforms(users, 3, seed=4)
    assert whole[1].tolist() == whole[3].tolist()
    assert uniforms(users[::-1], 3, seed=4).tolist() == whole[::-1].tolist()
    assert whole.tolist() != uniforms(users, 3, seed=5).tolist()
    assert len(np.unique(whole)) == 9
    assert uniforms(users[:0], 3, seed=0).shape == (0, 3)


def naive_overlaps(first, second, depth):
    return [len(set(first[:d]) & set(second[:d])) for d in range(1, depth + 1)]


def infinite(overlaps):
    """(1 - p) sum over d of p^(d - 1) X_d / d, Eq. 4 of Webber et al., as deep as `overlaps`."""
    return (1 - P) * sum(P ** (d - 1) * x / d for d, x in enumerate(overlaps, start=1))


def pairs(k=10, count=60):
    rng = np.random.default_rng(3)
    return (np.array([rng.permutation(14)[:k] for _ in range(count)]) for _ in range(2))


def test_rbo_is_the_sum_with_the_last_agreement_for_ever():
    first, second = pairs()
    deep = 400  # .9^400 is 5e-19
    for found, a, b in zip(rbo(first, second), first.tolist(), second.tolist(), strict=True):
        seen = naive_overlaps(a, b, 10)
        assert found == pytest.approx(
            infinite(seen + [seen[-1] / 10 * d for d in range(11, deep)]), abs=1e-12
        )


def test_rbo_lies_between_its_bounds():
    """Bounds: no more in common below place 10, or all possible (section 4 of Webber et al.)."""
    first, second = pairs()
    for found, a, b in zip(rbo(first, second), first.tolist(), second.tolist(), strict=True):
        seen = naive_overlaps(a, b, 10)
        least = infinite(seen + [seen[-1]] * 390)
        most = infinite(seen + [min(d, seen[-1] + 2 * (d - 10)) for d in range(11, 400)])
        assert least - 1e-12 <= found <= most + 1e-12
        if seen[-1] not in (0, 10):
            assert least < found < most


def test_rbo_of_the_same_list_of_none_in_common_and_of_the_order():
    first, second = pairs()
    np.testing.assert_allclose(rbo(first, first), 1)
    assert rbo(first, first + 100).tolist() == [0] * len(first)
    np.testing.assert_allclose(rbo(first, second), rbo(second, first))
    ten = np.arange(10)[None]
    top, bottom = (np.array([order]) for order in ([1, 0, *range(2, 10)], [*range(8), 9, 8]))
    assert rbo(ten, top) < rbo(ten, bottom) < 1
    assert rbo(ten, top)[0] == pytest.approx(
        1 - (1 - P)
    )  # only the first place differs, and it weighs 1 - p
