"""A table made of measured rows: means, intervals and stars, beside the paper's numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import numpy as np

from solidrec.evaluate.significance import Estimate, crossed
from solidrec.experiments.tables.comparisons import (
    LOWER,
    Comparison,
    alike,
    comparisons,
    references_of,
)
from solidrec.experiments.tables.contrasts import contrasts
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.notes import notes_of
from solidrec.experiments.tables.paper import paper_value
from solidrec.experiments.tables.result_table import (
    PAPER_NEGATIVES,
    Layout,
    ResultTable,
    TableCell,
    TableLine,
    protocol_label,
)


def result_table(rows: Sequence[Measured], layout: Layout) -> ResultTable:
    """Return the table of measured rows; raise `UsageError` if protocol, data or users differ."""
    alike(rows)
    measured = {row.name: row.labels for row in rows}
    expected = dict(layout.expected or measured)
    found = tuple(contrasts(_family_of(rows, layout, expected)))
    metrics = tuple(layout.metrics)
    if not rows:
        notes = ("Nothing was measured yet.",)
        return ResultTable(layout.title, "not measured", "", metrics, (), (), 0, notes)
    # Better than their base or the reference.
    starred = {
        (each.comparison.one, each.comparison.metric)
        for each in found
        if each.star and each.comparison.base
    }
    every = expected | {name: of for name, of in measured.items() if name not in expected}
    lines = tuple(_lines_of(rows, layout, every, starred=starred))
    return ResultTable(
        layout.title,
        protocol_label(rows[0].protocol, layout.negatives),
        rows[0].protocol,
        metrics,
        lines,
        found,
        len(rows[0].users),
        tuple(notes_of(rows, lines, found, layout=layout)),
    )


def _family_of(
    rows: Sequence[Measured], layout: Layout, expected: Mapping[str, Mapping[str, str]]
) -> list[Comparison]:
    """Return the comparisons of a table, as they will be when every expected row is measured.

    There are none while the reference is not measured, or no SOLID row and reference of it both
    are.
    """
    reference = layout.reference
    if reference is None and not _has_a_pair(expected.values()):
        reference = next(iter(expected), None)
    if reference is None:
        ready = _has_a_pair(row.labels for row in rows)
    else:
        ready = reference not in expected or any(row.name == reference for row in rows)
    return comparisons(rows, reference=reference, metrics=layout.tested) if ready else []


def _has_a_pair(labels: Iterable[Mapping[str, str]]) -> bool:
    """Return whether a SOLID row and a reference of it are among rows of these labels."""
    there = [dict(each) for each in labels]
    return any(wanted in there for each in there for wanted in references_of(each))


def _lines_of(
    rows: Sequence[Measured],
    layout: Layout,
    expected: Mapping[str, Mapping[str, str]],
    *,
    starred: Set[tuple[str, str]],
) -> Iterator[TableLine]:
    """Yield the lines of the expected rows, block by block."""
    measured = {row.name: row for row in rows}
    blocks = blocks_of(expected, layout.block)
    trained = layout.seeds or _most_seeds(rows)
    compared = rows[0].protocol == "paper" and layout.negatives == PAPER_NEGATIVES
    for block in dict.fromkeys(blocks.values()):
        names = [name for name in expected if blocks[name] == block]
        best = _best_of([measured[name] for name in names if name in measured], layout.metrics)
        for name in names:
            row = measured.get(name)
            paper = _of_paper(expected[name], layout) if compared else {}
            cells = tuple(
                _cell_of(
                    row,
                    metric,
                    star=(name, metric) in starred,
                    best=best[metric],
                    paper=paper.get(metric),
                )
                for metric in layout.metrics
            )
            wanted = 0 if row and row.deterministic else trained
            yield TableLine(name, block, cells, len(row.seeds) if row else 0, wanted)


def _most_seeds(rows: Sequence[Measured]) -> int:
    return max((len(row.seeds) for row in rows if not row.deterministic), default=1)


def blocks_of(expected: Mapping[str, Mapping[str, str]], axis: str) -> dict[str, str]:
    """Return the block of each row: its value on the axis; empty where no row has one.

    >>> blocks_of({"a": {"model.backbone.name": "din"}, "popularity": {}}, "model.backbone.name")
    {'a': 'din', 'popularity': 'baselines'}
    """
    divided = any(axis in labels for labels in expected.values())
    return {
        name: labels.get(axis, "" if not divided else "other rows" if labels else "baselines")
        for name, labels in expected.items()
    }


def _cell_of(
    row: Measured | None, metric: str, *, star: bool, best: float | None, paper: float | None
) -> TableCell:
    """Return one cell, empty if the row is missing."""
    if row is None:
        return TableCell(metric, paper=paper)
    mean, around = row.mean(metric), _interval(row, metric)
    low, high = (around.low, around.high) if around else (None, None)
    is_best = mean is not None and mean == best
    return TableCell(metric, mean, row.spread(metric), low, high, star, is_best, paper)


def _interval(row: Measured, metric: str) -> Estimate | None:
    """Return a row's mean with its interval; None if pooled or if no user has anything to rank."""
    values = row.per_user.get(metric)
    if values is None or np.isnan(values).any(0).all():
        return None
    return crossed(values[:1] if row.deterministic else values, trained=not row.deterministic)


def _best_of(rows: Sequence[Measured], metrics: Iterable[str]) -> dict[str, float | None]:
    """Return the best mean of each metric, None where fewer than two rows can be compared."""
    best: dict[str, float | None] = {}
    for metric in metrics:
        means = [mean for row in rows if (mean := row.mean(metric)) is not None]
        better = min if metric in LOWER else max
        best[metric] = better(means) if len(means) > 1 else None
    return best


def _of_paper(labels: Mapping[str, str], layout: Layout) -> dict[str, float | None]:
    """Return the values of a row in the layout's table of the paper, by metric, where it has one.

    A row without labels has none.
    """
    if layout.paper is None or not labels:
        return {}
    labels = {**layout.fixed, **labels}
    return {
        metric: paper_value(
            table=layout.paper, data_name=layout.data_name, labels=labels, metric=metric
        )
        for metric in layout.metrics
    }
