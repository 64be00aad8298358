"""The training curves of an experiment: loss and validation by epoch, from the logs of its runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from solidrec.epochs import score_of
from solidrec.experiments.plan import Place
from solidrec.report.logs import Logs, Row, curves, judged_by
from solidrec.report.material import Material, charts_of
from solidrec.report.plots import line_chart
from solidrec.report.section import Charts, Drawn, Section

_LINES = 20
_HOW = (
    "One line a training, {seeds}; the marker sits on the epoch that was kept. A loss has λ times "
    "the penalty in it."
)
_STAGED = (
    " A dashed line is the second stage (Eq. 13, with the codebook), which starts from the best "
    "weights of the first."
)


def training_curves(of: Material) -> Section:
    """Return a pair of charts for each block of the table, with as many seeds as stay readable."""
    names = [row.name for row in of.plan.rows if row.baseline is None]
    charts, most, staged = [], 0, False
    for number, (block, group) in enumerate(charts_of(names, of.blocks), start=1):
        places = _readable(of, group)
        logs: Logs = [
            (of.looks[place.row], rows) for place in places if (rows := of.history(place))
        ]
        if not logs:
            continue
        staged |= any(row["stage"] > 1 for _, rows in logs for row in rows)
        most = max(most, len({place.seed for place in places}))
        drawn = {look for look, _ in logs}
        legend = [look for name in group if (look := of.looks[name]) in drawn]
        charts.append(Charts(_charts(logs, f"{block} {number}"), block, legend))
    how = _HOW.format(seeds=f"{most} of {of.plan.seeds} seeds") + (_STAGED if staged else "")
    return Section(charts=charts, how=how)


def _readable(of: Material, group: Sequence[str]) -> list[Place]:
    """Return the finished cells of a block, of as many seeds as stay readable in one chart."""
    shown = max(1, _LINES // len(group))
    seeds = sorted({place.seed for place in of.plan.places})[:shown]
    return [place for place in of.trained() if place.row in group and place.seed in seeds]


def _charts(logs: Logs, of: str) -> Drawn:
    """Return the charts of validation and of loss; `of` makes their labels unique on the page."""
    judged = judged_by(logs)
    drawn: list[tuple[str, str, Callable[[Row], Any]]] = [
        (f"{judged} on the validation split", f"Validation {judged} by epoch, {of}", score_of),
        ("Training loss", f"Training loss by epoch, {of}", lambda row: row["loss"]),
    ]
    return [
        (caption, line_chart([replace(line, thin=True) for line in lines], label=label))
        for caption, label, value in drawn
        if (lines := curves(logs, value))
    ]
