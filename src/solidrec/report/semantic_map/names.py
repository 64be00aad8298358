"""Short names of semantic ids, from the titles and categories of their items."""

from __future__ import annotations

import html
import math
import re
from collections import Counter
from collections.abc import Collection, Sequence

from solidrec.arrays import Ints
from solidrec.data.prepared import PreparedData
from solidrec.report import semantics as report_semantics
from solidrec.semantics.ids import SemanticIds
from solidrec.semantics.modality import CATEGORIES, terms
from solidrec.semantics.terms import words

_WORDS = 3
_NAME_LENGTH = 26
_TELLING = 1 / 3
"""Share of a semantic id's items with a word that makes it a better name than a category."""
_RELATED = 4
"""Words that share so many first letters are repetitions, such as filter and filters."""
_FILLER_TEXT = """
an and are at by for from in into is it no not of off on or the to up with you your each pack
packs pc pcs piece pieces set sets count qty size oz ounce ounces fl ml lb lbs kg cm mm inch
inches ft feet yd yards id od
"""
_FILLER = frozenset(_FILLER_TEXT.split())
"""Words that are no name by themselves: function words, measures and packings."""
_NUMBER = re.compile(r"\d{2,}|\d.{2,}")
_PATH = re.compile(r"[>|,]")
"""Separators between the parts of a category's path."""


def names_of(data: PreparedData, ids: SemanticIds, central: Sequence[Ints]) -> list[str]:
    """Return a short name for each semantic id from 1 to count.

    `central` has the members of each id, and its index 0 is unused. The name is the category that
    the id stands for, or else words that set its titles apart, a category that sets it apart, its
    most central title, or empty.
    """
    if ids.labels:
        return [_last_part(label) for label in ids.labels]
    bags = _words_of(data)
    by_word = _distinctive(bags, central)
    by_label = _distinctive(terms(data.catalog, CATEGORIES, placed=False), central)
    names = []
    for members, own, labels in zip(central[1:], by_word[1:], by_label[1:], strict=True):
        if own and (own[0][1] >= _TELLING or not labels):
            names.append(_phrase([word for word, _ in own], [bags[item - 1] for item in members]))
        elif labels:
            names.append(_last_part(labels[0][0]))
        elif len(members) and any(bags):
            names.append(_shortened(title_of(data, int(members[0]))))
        else:
            names.append("")
    return names


def _words_of(data: PreparedData) -> list[list[str]]:
    """Return the telling words of each item's title."""
    if "title" not in data.catalog.columns:
        return [[]] * len(data.catalog)
    return [_telling(title) for title in data.catalog["title"]]


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
    bags: Sequence[Collection[str]], central: Sequence[Ints]
) -> list[list[tuple[str, float]]]:
    """Return the (term, share of items with it) of each group of items, highest TF-IDF first.

    TF is that share and IDF is over the catalogue. Terms of only one of several items are left out.
    """
    bags = [set(bag) for bag in bags]
    # number of items with each term in the catalogue
    total = Counter(term for bag in bags for term in bag)

    def rank(pair: tuple[str, float]) -> tuple[float, str]:
        term, share = pair
        return -share * math.log((len(bags) + 1) / total[term]), term

    found = []
    for members in central:
        here = Counter(term for item in members for term in bags[item - 1])
        least = min(2, len(members))
        shares = [(term, count / len(members)) for term, count in here.items() if count >= least]
        found.append(sorted(shares, key=rank)[:12])
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
