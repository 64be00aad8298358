"""A table of an experiment: its layout, and its lines of cells beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, final

from solidrec.experiments.tables.comparisons import BACKBONE, TESTED
from solidrec.experiments.tables.contrasts import Contrast
from solidrec.terminal import shown_metrics

PAPER_NEGATIVES = 99


@final
@dataclass(frozen=True)
class Layout:
    """What a table shows.

    ``block`` is the axis whose values divide the table. ``expected`` names every row of the
    experiment with its labels, in order (default: the measured ones), and ``seeds`` is the number
    of trainings of each: what is missing is shown as missing. ``reference`` is the row that all
    others are compared with; by default SOLID models are compared with what they are built from,
    other rows with the first. ``paper`` is the number of the paper's table to compare with, for
    ``data_name``, with the settings ``fixed`` that the rows share. ``negatives`` is the number of
    sampled items per target under protocol *paper*.
    """

    title: str
    metrics: Sequence[str] = field(default_factory=shown_metrics)
    tested: Sequence[str] = TESTED
    block: str = BACKBONE
    expected: Mapping[str, Mapping[str, str]] | None = None
    seeds: int | None = None
    reference: str | None = None
    paper: int | None = None
    data_name: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)
    negatives: int = PAPER_NEGATIVES


@final
@dataclass(frozen=True)
class TableCell:
    """One metric of a row (None: not measured): ``spread`` over seeds, (``low``, ``high``) 95 %."""

    metric: str
    mean: float | None = None
    spread: float | None = None
    low: float | None = None
    high: float | None = None
    star: bool = False
    best: bool = False
    paper: float | None = None

    @property
    def over_paper(self) -> float | None:
        """The measured value less the paper's."""
        return None if self.mean is None or self.paper is None else self.mean - self.paper


@final
@dataclass(frozen=True)
class TableLine:
    """One row: its block, its cells, and how many of the ``wanted`` seeds it has (0: untrained)."""

    name: str
    block: str
    cells: tuple[TableCell, ...]
    seeds: int
    wanted: int

    @property
    def seeds_text(self) -> str:
        """The number of seeds, and of how many if some are missing."""
        if not self.wanted:
            return "none needed"
        return (
            str(self.seeds) if self.seeds >= self.wanted else f"{self.seeds} of {self.wanted} seeds"
        )


@final
@dataclass(frozen=True)
class ResultTable:
    """A table under the protocol ``label``, with ``contrasts`` and ``notes`` on how to read it."""

    title: str
    label: str
    protocol: str
    metrics: tuple[str, ...]
    lines: tuple[TableLine, ...]
    contrasts: tuple[Contrast, ...]
    users: int
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        said = {key: getattr(self, key) for key in ("title", "label", "protocol", "users", "notes")}
        rows = [asdict(line) for line in self.lines]
        return said | {"rows": rows, "comparisons": [each.plain() for each in self.contrasts]}


def protocol_label(protocol: str, negatives: int = PAPER_NEGATIVES) -> str:
    """Return what a protocol ranks the target among.

    >>> protocol_label("paper"), protocol_label("full")
    ('1+99 sampled', 'full')
    """
    return f"1+{negatives} sampled" if protocol == "paper" else protocol
