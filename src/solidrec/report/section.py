"""What the sections of a report show, as plain values that the templates turn into markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, final

from solidrec.report.plots import Series
from solidrec.text_grid import Grid

Drawn = Sequence[tuple[str, str]]
"""Pairs of a caption and a chart."""


class Charts(NamedTuple):
    """Charts side by side, below a heading and a legend where there are any."""

    drawn: Drawn
    heading: str = ""
    legend: Sequence[Series] = ()


@final
@dataclass(frozen=True)
class Tables:
    """Grids below a heading, with notes below them; rows named in ``looks`` have their marker."""

    grids: Sequence[Grid]
    notes: Sequence[str] = ()
    heading: str = ""
    looks: Mapping[str, Series] = field(default_factory=dict)


class Card(NamedTuple):
    """A group of items: some of their titles, and the number of the ``rest``."""

    heading: str
    facts: str
    titles: Sequence[str]
    rest: int


@final
@dataclass(frozen=True)
class Section:
    """What a section shows, in this order; false where that is nothing.

    ``cards`` are pairs of a summary, under which they are folded unless it is empty, and the cards.
    """

    words: str = ""
    charts: Sequence[Charts] = ()
    how: str = ""
    tables: Sequence[Tables] = ()
    cards: Sequence[tuple[str, Sequence[Card]]] = ()
    notes: Sequence[str] = ()

    def __bool__(self) -> bool:
        """Return whether there is anything to show."""
        return bool(self.charts or self.tables)
