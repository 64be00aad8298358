from __future__ import annotations

import numpy as np
import pytest

from solidrec.report.semantic_map.projection import (
    _FEWEST,
    _beside,
    _filled,
    _framed,
    _plane,
    _sample,
    _spread,
    places,
)
from solidrec.semantics.fuse import Fused, fuse


def blobs(
    items: int, groups: int, *, width: int = 12, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (V, F) around as many directions as groups, and each one's group."""
    rng = np.random.default_rng(seed)
    of_item = np.arange(items) % groups
    return rng.standard_normal((groups, width))[of_item] + 0.25 * rng.standard_normal(
        (items, width)
    ), of_item


def own_neighbours(xy: np.ndarray, groups: np.ndarray, k: int = 5) -> float:
    """The share of each item's k nearest on the plane that are of its group."""
    apart = ((xy[:, None] - xy[None]) ** 2).sum(2)
    np.fill_diagonal(apart, np.inf)
    return float((groups[apart.argsort(1)[:, :k]] == groups[:, None]).mean())


@pytest.mark.parametrize(("items", "at_most"), [(300, 1_000), (600, 200)])
def test_what_is_alike_lies_together(items: int, at_most: int) -> None:
    vectors, groups = blobs(items, 6)
    found = places(fuse([vectors]), groups, np.arange(items), at_most=at_most)
    assert found.placed.all()
    assert found.xy.min() == 0
    assert found.xy.max() == 1
    assert np.ptp(found.xy[:, 0]) >= np.ptp(found.xy[:, 1])
    shuffled = np.random.default_rng(0).permutation(groups)
    assert own_neighbours(found.xy, shuffled) < 0.3  # chance is 1/6
    assert own_neighbours(found.xy, groups) > 0.9
    drawn = min(items, at_most)
    assert f"t-SNE of {'all ' * (drawn == items)}{drawn} items" in found.how
    assert (f"the other {items - drawn} lies" in found.how) == (items > at_most)


def test_the_same_input_gives_the_same_places() -> None:
    vectors, groups = blobs(120, 4)
    one, other = (
        places(fuse([vectors]), groups, np.zeros(120, dtype=np.int64), at_most=80, seed=3)
        for _ in range(2)
    )
    assert np.array_equal(one.xy, other.xy)


@pytest.mark.parametrize("items", [1, 2, 3, _FEWEST - 1, _FEWEST, 40])
@pytest.mark.parametrize("width", [1, 2, 70])
def test_any_number_of_items_of_any_width_has_a_place_each(items: int, width: int) -> None:
    vectors = np.random.default_rng(items).standard_normal((items, width))
    found = places(fuse([vectors]), np.zeros(items, dtype=np.int64), np.ones(items, dtype=np.int64))
    assert np.isfinite(found.xy).all()
    assert found.xy.min() >= 0
    assert found.xy.max() <= 1


def test_items_that_are_all_alike_can_all_be_seen() -> None:
    found = places(
        fuse([np.ones((50, 3))]), np.zeros(50, dtype=np.int64), np.zeros(50, dtype=np.int64)
    )
    assert len(np.unique(np.round(found.xy, 3), axis=0)) == 50


def test_points_that_differ_beyond_the_first_component_alone_keep_it() -> None:
    points = np.zeros((_FEWEST, 3))
    points[:, 1] = np.arange(_FEWEST)
    assert (_plane(points, seed=0) == points[:, :2]).all()


def test_items_without_any_modality_have_no_place() -> None:
    vectors, groups = blobs(30, 3)
    vectors[[4, 9]] = 0
    found = places(fuse([vectors]), groups, np.zeros(30, dtype=np.int64))
    assert np.flatnonzero(~found.placed).tolist() == [4, 9]
    assert np.isnan(found.xy[[4, 9]]).all()


def test_a_missing_part_is_that_of_the_semantic_id_or_of_the_catalogue() -> None:
    vectors = np.array([[1.0, 9], [2, 3], [4, 5], [8, 0], [6, 0]])
    present = np.array([[1.0, 1], [1, 1], [1, 1], [1, 0], [1, 0]])
    fused = Fused(vectors, present, (1, 1))
    groups = np.array([1, 2, 2, 2, 3])
    expected = [9, 3, 5, (3 + 5) / 2, (9 + 3 + 5) / 3]
    assert _filled(fused, groups) == pytest.approx(
        np.array([[a, b] for a, b in zip([1, 2, 4, 8, 6], expected, strict=True)])
    )


def test_the_sample_prefers_what_is_trained_often() -> None:
    counts = np.repeat([0, 99], 500)
    drawn = _sample(counts, 200, seed=0)
    assert len(set(drawn.tolist())) == 200
    assert (counts[drawn] == 99).mean() > 0.9
    assert _sample(counts, 1_000, seed=0).tolist() == list(range(1_000))


def test_an_item_lies_at_its_nearest_island_and_not_between_islands() -> None:
    points = np.array([[0.0, 0], [0, 1], [10, 0], [10, 1], [0, 0.5]])
    flat = np.array([[0.0, 0], [0, 0.04], [1, 1], [1, 0.96]])
    xy = _beside(points, np.arange(4), flat)
    assert np.array_equal(xy[:4], flat)
    assert xy[4] == pytest.approx([0, 0.02])


def test_only_items_that_coincide_are_moved() -> None:
    xy = np.array([[0.0, 0], [1, 1], [0, 0], [0.5, 0]])
    moved = _spread(xy)
    assert np.array_equal(moved[[0, 1, 3]], xy[[0, 1, 3]])
    assert 0 < np.linalg.norm(moved[2]) < 0.01


def test_the_frame_turns_and_keeps_distances_in_proportion() -> None:
    xy = np.random.default_rng(0).standard_normal((40, 2)) * [1, 5]
    found = _framed(xy)
    assert np.ptp(found[:, 0]) == found.max() == 1
    ratio = np.linalg.norm(found[1:] - found[:-1], axis=1) / np.linalg.norm(
        xy[1:] - xy[:-1], axis=1
    )
    assert ratio == pytest.approx(np.full(39, ratio[0]))
