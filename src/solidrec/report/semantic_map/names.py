"""The names of a map's semantic ids, and their members, most central items and main modality."""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solidrec.arrays import Ints
from solidrec.data.prepared import PreparedData
from solidrec.report import semantics as report_semantics
from solidrec.semantics.fuse import Fused
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.modality import CATEGORIES, terms
from solidrec.semantics.quality import drivers
from solidrec.semantics.terms import words

_WORDS = 3
_NAME_LENGTH = 26
_TELLING = 1 / 3
"""Share of a semantic id's items with a word that makes it a better name than a category."""
_RELATED = 4
"""Words that share so many first letters are repetitions, such as filter and filters."""
_FILLER = frozenset(
    {
        *(
            "an",
            "and",
            "are",
            "at",
            "by",
            "for",
            "from",
            "in",
            "into",
            "is",
            "it",
            "no",
            "not",
            "of",
            "off",
            "on",
            "or",
            "the",
        ),
        *(
            "to",
            "up",
            "with",
            "you",
            "your",
            "each",
            "pack",
            "packs",
            "pc",
            "pcs",
            "piece",
            "pieces",
            "set",
            "sets",
            "count",
        ),
        *(
            "qty",
            "size",
            "oz",
            "ounce",
            "ounces",
            "fl",
            "ml",
            "lb",
            "lbs",
            "kg",
            "cm",
            "mm",
            "inch",
            "inches",
            "ft",
            "feet",
        ),
        *("yd", "yards", "id", "od"),
    }
)
"""Words that are no name by themselves: function words, measures and packings."""
_NUMBER = re.compile(r"\d{2,}|\d.{2,}")
_ROWS = 4096
"""Number of vectors at a time, which limits the memory for a large catalogue."""
_PATH = re.compile(r"[>|,]")
"""Separators between the parts of a category's path."""


class Group(NamedTuple):
    """One semantic id, whose ``members`` (n,) are item indices from 1.

    ``central`` has the same items, the most central first, and ``trained`` counts their training
    events. ``driver`` is the modality that holds them together, if there are several modalities.
    ``following`` is the number of different codes of further levels.
    """

    number: int
    name: str
    members: Ints
    central: Ints
    trained: int
    driver: str | None
    following: int


def groups_of(
    data: PreparedData, ids: SemanticIds, fused: Fused, matrices: Mapping[str, np.ndarray]
) -> list[Group]:
    """Return every semantic id of the first level that has members, the largest first."""
    driven = drivers(ids, matrices) if len(ids.modalities) > 1 else [None] * ids.count
    # items by semantic id and then by distance to its centroid, split into one part per id
    apart = _apart_from_centroid(ids, fused)
    order = np.lexsort((apart, ids.of_item[1:]))
    sizes = np.bincount(ids.of_item[1:], minlength=ids.count + 1)
    central = [part + 1 for part in np.split(order, np.cumsum(sizes)[:-1])]
    names = _names_of(data, ids, central)
    found = [
        Group(
            number,
            names[number - 1],
            np.sort(central[number]),
            central[number],
            int(data.train_counts[central[number]].sum()),
            driven[number - 1],
            len(np.unique(ids.codes[central[number], 1:], axis=0)) if ids.levels > 1 else 0,
        )
        for number in range(1, ids.count + 1)
        if sizes[number]
    ]
    return sorted(found, key=lambda group: (-len(group.members), -group.trained, group.number))


def _apart_from_centroid(ids: SemanticIds, fused: Fused) -> npt.NDArray[np.float64]:
    """Return the squared distance (V,) of each item to its centroid.

    The sum covers the modalities of the item and is divided by their total weight. It is infinite
    for items without any.
    """
    found = np.full(len(fused.vectors), np.inf)
    for start in range(0, len(found), _ROWS):
        rows = slice(start, start + _ROWS)
        own = fused.vectors[rows].astype(np.float64)
        # 1 for each dimension that the item has, so that missing parts do not count
        here = np.repeat(fused.present[rows], fused.widths, axis=1)
        total, apart = (
            (own**2).sum(1),
            ((own - here * ids.centroids[ids.of_item[1:][rows] - 1]) ** 2).sum(1),
        )
        np.divide(apart, total, out=found[rows], where=total > 0)
    return found


def _names_of(data: PreparedData, ids: SemanticIds, central: Sequence[Ints]) -> list[str]:
    """Return a short name for each semantic id from 1 to count.

    `central` has the members of each id, and its index 0 is unused. The name is the category that
    the id stands for, or else words that set its titles apart, a category that sets it apart, its
    most central title, or empty.
    """
    if ids.labels:
        return [_last_part(label) for label in ids.labels]
    bags = (
        [_telling(title) for title in data.catalog["title"]]
        if "title" in data.catalog.columns
        else [[]] * len(data.catalog)
    )
    by_word = _distinctive([set(bag) for bag in bags], central)
    by_label = _distinctive(
        [set(bag) for bag in terms(data.catalog, CATEGORIES, placed=False)], central
    )
    names = []
    for number in range(1, ids.count + 1):
        members = central[number] - 1
        own, labels = by_word[number], by_label[number]
        if own and (own[0][1] >= _TELLING or not labels):
            names.append(_phrase([word for word, _ in own], [bags[item] for item in members]))
        elif labels:
            names.append(_last_part(labels[0][0]))
        else:
            names.append(
                _shortened(title_of(data, int(members[0]) + 1))
                if len(members) and any(bags)
                else ""
            )
    return names


def _telling(title: str | None) -> list[str]:
    """Return the words of a title for a name: no fillers, single letters, numbers or measures.

    >>> _telling("The 3D printer, 1kg of 1.75mm PLA &amp; a nozzle")
    ['3d', 'printer', 'pla', 'nozzle']
    """
    return [
        word
        for word in words(plain(title or ""))
        if len(word) > 1 and word not in _FILLER and not _NUMBER.match(word)
    ]


def title_of(data: PreparedData, item: int) -> str:
    """Return an item's title as plain text, or its id if it has none."""
    return plain(report_semantics.title_of(data, item))


def plain(text: str) -> str:
    """Return a text with its HTML entities (&#39;), left over from shop exports, decoded."""
    return html.unescape(text)


def _distinctive(
    bags: Sequence[set[str]], central: Sequence[Ints]
) -> list[list[tuple[str, float]]]:
    """Return the (term, share of items with it) of each group of items, highest TF-IDF first.

    TF is that share and IDF is over the catalogue. Terms of only one of several items are left out.
    """
    # number of items with each term in the catalogue
    total = Counter(term for bag in bags for term in bag)
    found = []
    for members in central:
        here = Counter(term for item in members for term in bags[item - 1])
        least = min(2, len(members))
        shares = [(term, count / len(members)) for term, count in here.items() if count >= least]
        found.append(
            sorted(
                shares,
                key=lambda pair: (-pair[1] * math.log((len(bags) + 1) / total[pair[0]]), pair[0]),
            )[:12]
        )
    return found


def _phrase(best: Sequence[str], bags: Sequence[Sequence[str]]) -> str:
    """Return up to three words in the order of the titles, without repetitions.

    >>> titles = [["wooden", "flute"], ["red", "wooden", "flutes"]]
    >>> _phrase(["flutes", "flute", "wooden", "red"], titles)
    'red wooden flutes'
    """
    kept: list[str] = []
    for word in best:
        repeats = any(
            word[:_RELATED] == other[:_RELATED] or word in other or other in word for other in kept
        )
        if not repeats and len(kept) < _WORDS and len(" ".join([*kept, word])) <= _NAME_LENGTH:
            kept.append(word)
    # mean relative position of each word in the titles that have it
    places = {word: [bag.index(word) / len(bag) for bag in bags if word in bag] for word in kept}
    ordered = sorted(kept, key=lambda word: sum(places[word]) / max(len(places[word]), 1))
    return " ".join(ordered) or _shortened(best[0])


def _last_part(label: str) -> str:
    """Return a category as a name, or the last part of a path that is too long.

    >>> _last_part("Creams, Gels & Lotions")
    'Creams, Gels & Lotions'
    >>> _last_part("Industrial & Scientific,Tapes,Electrical Tape")
    'Electrical Tape'
    """
    label = plain(label)
    parts = [part for part in _PATH.split(label) if part.strip()]
    return _shortened(parts[-1] if parts and len(label) > _NAME_LENGTH else label)


def _shortened(text: str) -> str:
    """Return a text on one line, cut between words to the length of a name.

    >>> _shortened("The Good, the Bad and the Ugly (1966)")
    'The Good, the Bad and …'
    """
    text = " ".join(text.split())
    if len(text) <= _NAME_LENGTH:
        return text
    return (text[: _NAME_LENGTH - 2].rpartition(" ")[0] or text[: _NAME_LENGTH - 2]) + " …"
