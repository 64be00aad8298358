"""What the map's page says: of the picture, of every semantic id, and the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from solidrec.data.prepared import PreparedData
from solidrec.report.semantic_map.colors import Color
from solidrec.report.semantic_map.data import DOTS
from solidrec.report.semantic_map.describe import explained
from solidrec.report.semantic_map.groups import Group
from solidrec.report.semantic_map.names import title_of
from solidrec.report.semantic_map.projection import Places
from solidrec.report.semantics import HOW, sizes_figure
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.modality import CATEGORIES

_CENTRAL = 3
"""Number of titles that represent a semantic id."""
_SEEN = (
    "Items near each other are alike; how far apart distant ones are, and how large a cloud is, "
    "says little: t-SNE keeps neighbourhoods and gives up the rest."
)


def headline(ids: SemanticIds, groups: Sequence[Group]) -> str:
    """Return the page summed up in a sentence."""
    items = len(ids.of_item) - 1
    over = f" by {_listed(ids.modalities)}" if ids.method == "kmeans" else " by their categories"
    return f"{plural(items, 'item')} in {plural(len(groups), 'semantic id')}{over}"


def lead(places: Places) -> str:
    """Return the paragraph under the headline."""
    text = "Every dot is an item, near the items it resembles, in the colour of its semantic id."
    missing = int((~places.placed).sum())
    if missing:
        text += (
            f" {plural(missing, 'item')} without any modality {'is' if missing == 1 else 'are'} "
            "not on the map."
        )
    return text


def picture(places: Places, ids: SemanticIds) -> str:
    """Say how the map was made."""
    by = _listed([*ids.modalities, *([CATEGORIES] if ids.method == CATEGORIES else [])])
    first = " Of the codes of an item the map shows the first." if ids.levels > 1 else ""
    if places.placed.sum() > DOTS:
        first += f" Of the items it shows the {DOTS:,} trained most often."
    return f"Placed by {by}. {places.how} {_SEEN}{first}"


def directory(
    data: PreparedData, groups: Sequence[Group], tones: Sequence[Color], pictures: Mapping[int, str]
) -> dict[str, Any]:
    """Return the cards of all semantic ids, the largest first, and how many titles they have."""
    cards = []
    for group, tone in zip(groups, tones, strict=True):
        told = [plural(len(group.members), "item"), f"{group.trained:,} in training"]
        told += [f"held together by {group.driver}"] if group.driver else []
        told += [f"followed by {plural(group.following, 'code')}"] if group.following else []
        items = group.central.tolist()
        titles = [title_of(data, item) for item in items[:_CENTRAL]]
        thumbs = [(pictures[item], title_of(data, item)) for item in items if item in pictures]
        card = {"group": group, "tone": tone, "told": told, "titles": titles, "thumbs": thumbs}
        cards.append(card)
    return {"cards": cards, "central": _CENTRAL}


def numbers(
    data: PreparedData, ids: SemanticIds, groups: Sequence[Group], found: Mapping[str, Any]
) -> dict[str, Any]:
    """Return how the ids were made, their sizes, and their quality numbers."""
    told = ids.facts()
    weighed = ids.weights or (1.0,) * len(ids.modalities)
    parts = [
        f"{name} (weight {weight:g})" for name, weight in zip(ids.modalities, weighed, strict=True)
    ]
    codes = ""
    if ids.levels > 1:
        codes = f", {told['codes']:,} codes in all, {told['distinct']:,} combinations"
    method = HOW.get(ids.method, ids.method).rstrip(",")
    made = [
        ("Method", f"{method} ({ids.reason}), seed {ids.seed}"),
        ("Modalities", ", ".join(parts)),
        ("Semantic ids", f"{told['count']:,} in {plural(ids.levels, 'level')}{codes}"),
        ("Data", f"{data.manifest['source']}; fingerprint {data.fingerprint[:12]}"),
    ]
    drawn = sizes_figure([len(group.members) for group in groups])
    return {"made": made, "measured": explained(found), "drawn": drawn}


def _listed(names: Sequence[str]) -> str:
    """Return names as a phrase.

    >>> _listed(["image"]), _listed(["image", "text", "id"])
    ('image', 'image, text and id')
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def plural(count: int, what: str) -> str:
    """Return a count and its noun.

    >>> plural(1, "item"), plural(1200, "item")
    ('1 item', '1,200 items')
    """
    return f"{count:,} {what}{'' if count == 1 else 's'}"
