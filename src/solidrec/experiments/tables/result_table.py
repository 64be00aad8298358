"""A table of an experiment: means, spreads, intervals and stars, beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field
from typing import Any, final

import numpy as np

from solidrec.evaluate.significance import LEVEL, Estimate, crossed
from solidrec.experiments.tables.contrasts import (
    BACKBONE,
    LOWER,
    TESTED,
    Comparison,
    Contrast,
    alike,
    comparisons,
    contrasts,
    references_of,
)
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.paper import PROTOCOLS, data_note, paper_table, paper_value
from solidrec.terminal import shown_metrics

PAPER_NEGATIVES = 99
_SPREAD = (
    "Mean ± standard deviation over training seeds (n − 1); [95 %] over users and seeds, over "
    "users only for one seed."
)
_TEST = (
    "Differences are paired over the same users and seeds; their variance is that over users plus "
    "that over seeds, p is Behrens and Fisher's, corrected (Holm) for the {count} tests of this "
    "table. d_z: mean over standard deviation of users' differences."
)
_STAR = (
    f"A star in a row: above {{reference}}, corrected p < {LEVEL}. A star in a comparison: the "
    "same for its two sides."
)
_AMONG = {"paper": "the target among sampled items", "full": "the target among the whole catalogue"}
_BASE = "its base (`apg` for `solid-apg`, `duet` for `solid-duet`) on the same backbone"
_ONE_SEED = (
    "One training seed says nothing about a method: such differences are of these models only, "
    "without p and without a star."
)


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
    mean: float | None
    spread: float | None
    low: float | None
    high: float | None
    star: bool
    best: bool
    paper: float | None

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
        return {
            **said,
            "rows": rows,
            "comparisons": [contrast.plain() for contrast in self.contrasts],
        }


def result_table(rows: Sequence[Measured], layout: Layout) -> ResultTable:
    """Return the table of measured rows; raise `UsageError` if protocol, data or users differ."""
    alike(rows)
    found = tuple(contrasts(_family_of(rows, layout)))
    if not rows:
        return ResultTable(
            layout.title,
            "not measured",
            "",
            tuple(layout.metrics),
            (),
            (),
            0,
            ("Nothing was measured yet.",),
        )
    lines = tuple(_lines_of(rows, layout, _stars(found)))
    return ResultTable(
        layout.title,
        protocol_label(rows[0].protocol, layout.negatives),
        rows[0].protocol,
        tuple(layout.metrics),
        lines,
        found,
        len(rows[0].users),
        _notes_of(rows, lines, found, layout),
    )


def _family_of(rows: Sequence[Measured], layout: Layout) -> list[Comparison]:
    """Return the comparisons of a table, as they will be when every expected row is measured.

    There are none while the reference is not measured, or no SOLID row and reference of it both
    are.
    """
    expected = dict(layout.expected or {}) or {row.name: row.labels for row in rows}
    labels = [dict(each) for each in expected.values()]
    solid = any(wanted in labels for each in labels for wanted in references_of(each))
    reference = layout.reference or (None if solid else next(iter(expected), None))
    if reference is None:
        there = [dict(row.labels) for row in rows]
        ready = any(wanted in there for each in there for wanted in references_of(each))
    else:
        ready = reference not in expected or reference in {row.name for row in rows}
    return comparisons(rows, reference=reference, metrics=layout.tested) if ready else []


def _lines_of(
    rows: Sequence[Measured], layout: Layout, starred: Set[tuple[str, str]]
) -> Iterator[TableLine]:
    """Yield the lines, block by block, those of `Layout.expected` first."""
    measured = {row.name: row for row in rows}
    expected = dict(layout.expected or {})
    expected |= {row.name: row.labels for row in rows if row.name not in expected}
    blocks = blocks_of(expected, layout.block)
    trained = layout.seeds or max(
        (len(row.seeds) for row in rows if not row.deterministic), default=1
    )
    beside = (
        layout.paper
        if rows[0].protocol == "paper" and layout.negatives == PAPER_NEGATIVES
        else None
    )
    for block in dict.fromkeys(blocks.values()):
        names = [name for name in expected if blocks[name] == block]
        best = {
            metric: _best_of(
                [measured[name].mean(metric) for name in names if name in measured], metric
            )
            for metric in layout.metrics
        }
        for name in names:
            row = measured.get(name)
            cells = tuple(
                _cell_of(
                    row,
                    metric,
                    star=(name, metric) in starred,
                    best=best[metric],
                    paper=None
                    if beside is None
                    else _of_paper(beside, expected[name], metric, layout),
                )
                for metric in layout.metrics
            )
            yield TableLine(
                name,
                block,
                cells,
                len(row.seeds) if row else 0,
                0 if row and row.deterministic else trained,
            )


def blocks_of(expected: Mapping[str, Mapping[str, str]], axis: str) -> dict[str, str]:
    """Return the block of each row: its value on the axis; empty where no row has one.

    >>> blocks_of({"a": {"model.backbone": "din"}, "popularity": {}}, "model.backbone")
    {'a': 'din', 'popularity': 'baselines'}
    """
    divided = any(axis in labels for labels in expected.values())
    return {
        name: labels.get(axis, "" if not divided else "other rows" if labels else "baselines")
        for name, labels in expected.items()
    }


def protocol_label(protocol: str, negatives: int = PAPER_NEGATIVES) -> str:
    """Return what a protocol ranks the target among.

    >>> protocol_label("paper"), protocol_label("full")
    ('1+99 sampled', 'full')
    """
    return f"1+{negatives} sampled" if protocol == "paper" else protocol


def _cell_of(
    row: Measured | None, metric: str, *, star: bool, best: float | None, paper: float | None
) -> TableCell:
    """Return one cell, empty if the row is missing."""
    if row is None:
        return TableCell(metric, None, None, None, None, star=False, best=False, paper=paper)
    mean, around = row.mean(metric), _interval(row, metric)
    low, high = (around.low, around.high) if around else (None, None)
    return TableCell(
        metric, mean, row.spread(metric), low, high, star, mean is not None and mean == best, paper
    )


def _interval(row: Measured, metric: str) -> Estimate | None:
    """Return a row's mean with its interval; None if pooled or if no user has anything to rank."""
    values = row.per_user.get(metric)
    if values is None or np.isnan(values).any(0).all():
        return None
    return crossed(values[:1] if row.deterministic else values, trained=not row.deterministic)


def _best_of(means: Sequence[float | None], metric: str) -> float | None:
    """Return the best of several means, None where fewer than two can be compared.

    >>> (_best_of([0.1, 0.3, None], "UAUC"), _best_of([0.1, 0.3], "LogLoss"),
    ...  _best_of([0.1, None], "UAUC"))
    (0.3, 0.1, None)
    """
    found = [mean for mean in means if mean is not None]
    return None if len(found) < 2 else min(found) if metric in LOWER else max(found)


def _stars(found: Sequence[Contrast]) -> set[tuple[str, str]]:
    """Return the (row, metric) pairs with a star: better than their base or the reference."""
    return {
        (each.comparison.one, each.comparison.metric)
        for each in found
        if each.star and each.comparison.base
    }


def _of_paper(table: int, labels: Mapping[str, str], metric: str, layout: Layout) -> float | None:
    """Return the value of a row in a table of the paper, None where it has none."""
    if not labels:
        return None
    return paper_value(
        table=table, data_name=layout.data_name, labels={**layout.fixed, **labels}, metric=metric
    )


def _notes_of(
    rows: Sequence[Measured], lines: Sequence[TableLine], found: Sequence[Contrast], layout: Layout
) -> tuple[str, ...]:
    """Return the notes below a table."""
    first, tests = rows[0], sum(contrast.p is not None for contrast in found)
    notes = [
        f"Protocol {first.protocol} ({_AMONG[first.protocol]}), {len(first.users):,} test users, "
        f"data {first.data}. {_SPREAD}"
    ]
    if tests:
        bases = {contrast.comparison.other for contrast in found if contrast.comparison.base}
        notes += [
            _TEST.format(count=tests),
            _STAR.format(reference=f"`{bases.pop()}`" if len(bases) == 1 else _BASE),
        ]
    if any(contrast.found and not contrast.found.about_method for contrast in found):
        notes.append(_ONE_SEED)
    if short := [f"{line.name} ({line.seeds_text})" for line in lines if line.seeds < line.wanted]:
        notes.append(f"Missing: {', '.join(short)}.")
    if layout.paper is not None and any(
        cell.paper is not None for line in lines for cell in line.cells
    ):
        notes.append(f"Beside Table {layout.paper} of the paper. {PROTOCOLS}")
        notes += [
            text for text in (data_note(layout.data_name), *paper_table(layout.paper).notes) if text
        ]
    return tuple(notes)
