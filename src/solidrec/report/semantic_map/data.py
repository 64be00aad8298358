"""The data of the page's script: items and semantic ids as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.data.prepared import PreparedData
from solidrec.report.semantic_map.colors import Color, colors
from solidrec.report.semantic_map.groups import Group
from solidrec.report.semantic_map.names import plain, title_of
from solidrec.report.semantic_map.projection import Places

DOTS = 50_000
"""Maximum number of items on a page, the most trained ones, as browsers are slow with more."""
_SCALE = 10_000
"""Length of the map's longer side in integer coordinates."""
_NEAR = 0.03
"""Radius of the densest place of a semantic id, where its label stands, in widths of the map."""
_TITLE = 120
_LABELS = 4
_NO_COLOR = Color("#8a939e", "#7d8894")


class Spot(NamedTuple):
    """The middle of a semantic id's densest place on the map, and its number of items there."""

    x: float
    y: float
    items: int


def spots(groups: Sequence[Group], places: Places) -> list[Spot | None]:
    """Return the spot of each group, None where no member has a place."""
    from sklearn.neighbors import KDTree

    found: list[Spot | None] = []
    for group in groups:
        own = places.xy[group.members - 1]
        own = own[~np.isnan(own[:, 0])]
        if not len(own):
            found.append(None)
            continue
        # the number of items near each item, and the items near the one with the most
        near = KDTree(own).query_radius(own, _NEAR, count_only=True)
        here = own[np.linalg.norm(own - own[near.argmax()], axis=1) <= _NEAR]
        x, y = here.mean(0).tolist()
        found.append(Spot(x, y, len(here)))
    return found


def colors_of(found: Sequence[Spot | None]) -> list[Color]:
    """Return a colour for each group by its spot, grey for groups without one."""
    chosen = iter(
        colors(np.array([(spot.x, spot.y) for spot in found if spot is not None]).reshape(-1, 2))
    )
    return [_NO_COLOR if spot is None else next(chosen) for spot in found]


def page_data(
    data: PreparedData,
    groups: Sequence[Group],
    places: Places,
    found: Sequence[Spot | None],
    tones: Sequence[Color],
    *,
    most: int = DOTS,
) -> dict[str, Any]:
    """Return the columns of at most `most` placed items, and the semantic ids.

    The least trained items come first, so that the others are drawn over them.
    """
    of_item = np.zeros(len(places.xy), dtype=np.int64)
    for row, group in enumerate(groups):
        of_item[group.members - 1] = row
    # indices of the placed items in ascending order of training, the last `most` of them
    placed = np.flatnonzero(places.placed)
    placed = placed[np.argsort(data.train_counts[placed + 1], kind="stable")][-most:]
    grid = np.round(places.xy[placed] * _SCALE).astype(np.int64)
    kinds, labels = _categories_of(data, placed)
    return {
        "x": grid[:, 0].tolist(),
        "y": grid[:, 1].tolist(),
        "group": of_item[placed].tolist(),
        "count": data.train_counts[placed + 1].tolist(),
        "title": [_cut(title_of(data, int(item) + 1)) for item in placed],
        "kinds": kinds,
        "labels": labels,
        "groups": [
            {
                "number": group.number,
                "name": group.name,
                "size": len(group.members),
                "light": tone.light,
                "dark": tone.dark,
                **_where(spot),
            }
            for group, spot, tone in zip(groups, found, tones, strict=True)
        ],
    }


def _where(spot: Spot | None) -> dict[str, int]:
    """Return where the label of a semantic id stands, nothing without a spot."""
    if spot is None:
        return {}
    return {"x": round(spot.x * _SCALE), "y": round(spot.y * _SCALE), "near": spot.items}


def _categories_of(
    data: PreparedData, items: npt.NDArray[np.int64]
) -> tuple[list[list[int]], list[str]]:
    """Return the first categories of each item as numbers, and the category names by number."""
    if "categories" not in data.catalog.columns:
        return [], []
    numbers: dict[str, int] = {}
    own = data.catalog["categories"].to_list()
    shown = [
        [_cut(plain(label)) for label in (own[item] or ())[:_LABELS]] for item in items.tolist()
    ]
    return [
        [numbers.setdefault(label, len(numbers)) for label in labels] for labels in shown
    ], list(numbers)


def _cut(text: str) -> str:
    """Return a text of at most `_TITLE` characters."""
    return text if len(text) <= _TITLE else text[: _TITLE - 1] + "…"
