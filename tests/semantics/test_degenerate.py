"""Semantic ids that say next to nothing are named, with a cure; ordinary ones pass."""

from __future__ import annotations

import numpy as np
import pytest

from solidrec.semantics.degenerate import complaint
from solidrec.semantics.ids import SemanticIds


def ids(sizes: list[int], method: str = "kmeans", levels: int = 1) -> SemanticIds:
    """Semantic ids of the given sizes."""
    of_item = np.repeat(np.arange(1, len(sizes) + 1), sizes)
    codes = np.tile(np.r_[0, of_item][:, None], (1, levels))
    centroids = np.zeros((len(sizes) * levels, 2), dtype=np.float32)
    return SemanticIds(codes, centroids, (), method, ("image", "text"), 0, "")


@pytest.mark.parametrize(
    ("sizes", "asked", "method", "says"),
    [
        (
            [16_400],
            None,
            "kmeans",
            "1 semantic ids for 16,400 items, the largest of 16,400, tell f",
        ),
        ([9_000, 7_400], None, "categories", "coarse; say semantics.method=kmeans, or name others"),
        ([6_000, 6_000, 4_400], None, "kmeans", "image, text hold no more different vectors; chec"),
        ([143] * 7, None, "kmeans", "hold no more different vectors"),  # 190 / 25 is 7.6
        ([501] + [1] * 499, None, "kmeans", "image, text are alike, or missing, in most items; c"),
        ([1_000], 256, "kmeans", "1 semantic ids (256 asked for) for 1,000 items"),
        ([40] * 25, 256, "kmeans", "25 semantic ids (256 asked for)"),
        ([40], 256, "kmeans", "image, text hold no more different vectors"),
    ],
)
def test_i10_a_degenerate_map_is_named(
    sizes: list[int], asked: int | None, method: str, says: str
) -> None:
    line = complaint(ids(sizes, method), asked)
    assert line is not None
    assert says in line
    assert line.endswith("or name others by semantics.modalities")


@pytest.mark.parametrize(
    ("sizes", "asked", "method"),
    [
        ([93] * 18, None, "categories"),  # as many as the genres of 1,700 films
        ([125] * 8, None, "kmeans"),  # 190 clusters are usual, a 25th is 7.6
        ([5] * 8, None, "kmeans"),
        ([7], None, "kmeans"),  # a catalogue of 7 items has one id by the rule
        ([4, 4], 2, "kmeans"),
        ([100, 1], 2, "kmeans"),  # uneven, but as many as were asked for
        ([1] * 5, 256, "kmeans"),  # an id for every item
        ([16_400], 256, "random"),
        ([30] * 3, 5, "categories"),  # the number asked for is that of clusters
    ],
)
def test_what_is_as_it_should_be_passes(sizes: list[int], asked: int | None, method: str) -> None:
    assert complaint(ids(sizes, method), asked) is None


def test_levels_share_the_usual_number() -> None:
    """Of 2,500 items 300 clusters are usual: 11 ids are too few for one level, not for three."""
    sizes = [227] * 10 + [230]
    assert complaint(ids(sizes), None) is not None
    assert complaint(ids(sizes, levels=3), None) is None
