from __future__ import annotations

import numpy as np

from solidrec.data.prepared import PreparedData
from solidrec.report.semantic_map.colors import Color
from solidrec.report.semantic_map.data import (
    _NEAR,
    _NO_COLOR,
    _SCALE,
    _cut,
    colors_of,
    page_data,
    spots,
)
from solidrec.report.semantic_map.groups import Group
from solidrec.report.semantic_map.projection import Places


def group(number: int, members: list[int]) -> Group:
    own = np.array(members)
    return Group(number, f"name {number}", own, own, 0, None, 0)


def test_a_label_stands_where_its_items_are_densest() -> None:
    xy = np.array([[0.1, 0.1], [0.11, 0.1], [0.12, 0.1], [0.9, 0.4], [0.5, 0.5], [np.nan, np.nan]])
    many, one, none = spots(
        [group(1, [1, 2, 3, 4]), group(2, [5, 6]), group(3, [6])], Places(xy, "")
    )
    assert many is not None
    assert np.allclose(many, [0.11, 0.1, 3])
    assert one == (0.5, 0.5, 1)
    assert none is None
    assert _NEAR < 0.1
    first, second, grey = colors_of([many, one, none])
    assert grey == _NO_COLOR
    assert len({first, second, grey}) == 3


def test_the_data_are_the_placed_items_with_the_most_trained_last(data: PreparedData) -> None:
    rng = np.random.default_rng(0)
    xy = rng.random((40, 2))
    xy[7] = np.nan
    groups = [group(2, list(range(1, 21))), group(1, list(range(21, 41)))]
    places = Places(xy, "")
    found = spots(groups, places)
    page = page_data(data, groups, places, found, [Color("#000000", "#ffffff")] * 2)
    order = sorted(
        (item for item in range(1, 41) if item != 8),
        key=lambda item: (data.train_counts[item], item),
    )
    assert page["x"] == [round(xy[item - 1, 0] * _SCALE) for item in order]
    assert page["y"] == [round(xy[item - 1, 1] * _SCALE) for item in order]
    assert page["title"] == [data.catalog["title"][item - 1] for item in order]
    assert page["group"] == [0 if item <= 20 else 1 for item in order]
    assert page["count"] == [int(data.train_counts[item]) for item in order]
    kinds = [[page["labels"][kind] for kind in own] for own in page["kinds"]]
    assert kinds == [list(data.catalog["categories"][item - 1]) for item in order]
    few = page_data(data, groups, places, found, [Color("#000000", "#ffffff")] * 2, most=5)
    assert few["title"] == page["title"][-5:]
    assert few["groups"] == page["groups"]
    assert [(each["number"], each["size"]) for each in page["groups"]] == [(2, 20), (1, 20)]


def test_long_titles_are_cut() -> None:
    assert _cut("x" * 120) == "x" * 120
    assert _cut("x" * 121) == "x" * 119 + "…"
