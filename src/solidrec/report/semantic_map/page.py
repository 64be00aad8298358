"""The parts of the map's page: the picture, the list of semantic ids, and the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from solidrec.data.prepared import PreparedData
from solidrec.report.page import escape, facts, paragraph, short
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
_STAGE = """<div class="tools"><input type="search" id="search" \
placeholder="Title, name or #id" aria-label="Search the map">
<output id="found" for="search"></output><div class="push">
<button type="button" id="nearer" aria-label="Zoom in" title="Zoom in">+</button>
<button type="button" id="farther" aria-label="Zoom out" title="Zoom out">−</button>
<button type="button" id="whole">Whole map</button>\
<button type="button" id="full">Full screen</button></div></div>
<div id="stage"><canvas tabindex="0" role="img" \
aria-label="Map of the catalogue: each item a dot, coloured by its semantic id">
</canvas><div id="tip" hidden></div></div>
<noscript><p class="note">\
The map is drawn by a script, which this browser does not run; all else is here.</p></noscript>
"""
_HINT = (
    "Point at a dot to read it, click it to see its semantic id alone. Drag to move, Ctrl and "
    "wheel (or two fingers) to zoom. Larger dots occur more often in training."
)
_ORDER = """<div class="tools"><label>Sorted by <select id="order">\
<option value="size">items</option>
<option value="trained">training events</option>\
<option value="number">number</option></select></label></div>
"""
_SEEN = (
    "Items near each other are alike; how far apart distant ones are, and how large a cloud is, "
    "says little: t-SNE keeps neighbourhoods and gives up the rest."
)


def headline(ids: SemanticIds, groups: Sequence[Group]) -> str:
    """Return the page summed up in a sentence."""
    items = len(ids.of_item) - 1
    over = f" by {_listed(ids.modalities)}" if ids.method == "kmeans" else " by their categories"
    return f"{plural(items, 'item')} in {plural(len(groups), 'semantic id')}{over}"


def lead(places: Places) -> list[str]:
    """Return the paragraphs under the title, after the headline."""
    text = "Every dot is an item, near the items it resembles, in the colour of its semantic id."
    missing = int((~places.placed).sum())
    if missing:
        text += (
            f" {plural(missing, 'item')} without any modality {'is' if missing == 1 else 'are'} "
            "not on the map."
        )
    return [paragraph(text, kind="muted")]


def picture(places: Places, ids: SemanticIds) -> str:
    """Return the map with its tools, and how it was made."""
    by = _listed([*ids.modalities, *([CATEGORIES] if ids.method == CATEGORIES else [])])
    first = " Of the codes of an item the map shows the first." if ids.levels > 1 else ""
    if places.placed.sum() > DOTS:
        first += f" Of the items it shows the {DOTS:,} trained most often."
    made = f"Placed by {by}. {places.how} {_SEEN}{first}"
    return _STAGE + paragraph(_HINT, kind="muted hint") + paragraph(escape(made), kind="muted")


def directory(
    data: PreparedData, groups: Sequence[Group], tones: Sequence[Color], pictures: Mapping[int, str]
) -> str:
    """Return the list of all semantic ids, the largest first."""
    cards = "\n".join(
        _card(data, group, row, tone, pictures)
        for row, (group, tone) in enumerate(zip(groups, tones, strict=True))
    )
    note = paragraph(
        f"With the titles nearest to the middle (the centroid) of each, up to {_CENTRAL}.",
        kind="muted",
    )
    return f'{note}{_ORDER}<div class="ids">\n{cards}\n</div>'


def _card(
    data: PreparedData, group: Group, row: int, tone: Color, pictures: Mapping[int, str]
) -> str:
    """Return one semantic id: its name, its facts, its most central titles and pictures."""
    told = [plural(len(group.members), "item"), f"{group.trained:,} in training"]
    told += [f"held together by {group.driver}"] if group.driver else []
    told += [f"followed by {plural(group.following, 'code')}"] if group.following else []
    shown = [item for item in group.central.tolist() if item in pictures]
    thumbs = "".join(
        f'<img src="{pictures[item]}" alt="{escape(title_of(data, item))}" loading="lazy">'
        for item in shown
    )
    titles = "".join(
        f"<li>{short(title_of(data, item))}</li>" for item in group.central[:_CENTRAL].tolist()
    )
    name = f" · {escape(group.name)}" if group.name else ""
    return (
        f'<div id="id-{group.number}" data-row="{row}" data-number="{group.number}" '
        f'data-size="{len(group.members)}" data-trained="{group.trained}"><h3>'
        f'<span class="chip" style="--light:{tone.light};--dark:{tone.dark}"></span>'
        f'<a href="#map" title="Show on the map">{group.number}{name}</a></h3>'
        f"<small>{escape(' · '.join(told))}</small>"
        f"{f'<div class=thumbs>{thumbs}</div>' if thumbs else ''}<ol>{titles}</ol></div>"
    )


def numbers(
    data: PreparedData, ids: SemanticIds, groups: Sequence[Group], found: Mapping[str, Any]
) -> str:
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
        ("Method", escape(f"{method} ({ids.reason}), seed {ids.seed}")),
        ("Modalities", escape(", ".join(parts))),
        ("Semantic ids", escape(f"{told['count']:,} in {plural(ids.levels, 'level')}{codes}")),
        ("Data", escape(f"{data.manifest['source']}; fingerprint {data.fingerprint[:12]}")),
    ]
    measured = [
        (escape(name), f"<strong>{escape(value)}</strong><small>{escape(meaning)}</small>")
        for name, value, meaning in explained(found)
    ]
    drawn = sizes_figure([len(group.members) for group in groups])
    return f'<div class="made">{facts([*made, *measured])}{drawn}</div>'


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
