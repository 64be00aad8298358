"""The training curves of an experiment: loss and validation by epoch, from the logs of its runs."""

from __future__ import annotations

from dataclasses import replace

from solidrec.epochs import score_of
from solidrec.report.logs import Logs, curves, judged_by
from solidrec.report.material import Material, charts_of
from solidrec.report.page import escape, figures, legend, paragraph
from solidrec.report.plots import Curve, line_chart

_LINES = 20
_HOW = (
    "One line a training, {seeds}; the marker sits on the epoch that was kept. A loss has λ times "
    "the penalty in it."
)
_STAGED = (
    " A dashed line is the second stage (Eq. 13, with the codebook), which starts from the best "
    "weights of the first."
)


def training_curves(of: Material) -> str:
    """Return a pair of charts for each block of the table, with as many seeds as stay readable."""
    names = [row.name for row in of.plan.rows if row.baseline is None]
    parts, most, staged = [], 0, False
    for number, (block, group) in enumerate(charts_of(names, of.blocks), start=1):
        shown = max(1, _LINES // len(group))
        seeds = sorted({place.seed for place in of.plan.places})[:shown]
        places = [place for place in of.trained() if place.row in group and place.seed in seeds]
        logs: Logs = [
            (of.looks[place.row], rows) for place in places if (rows := of.history(place))
        ]
        if not logs:
            continue
        staged |= any(row["stage"] > 1 for _, rows in logs for row in rows)
        most = max(most, len({place.seed for place in places}))
        looks = [
            of.looks[name] for name in group if any(look == of.looks[name] for look, _ in logs)
        ]
        parts += [
            f"<h3>{escape(block)}</h3>" if block else "",
            legend(looks),
            figures(*_charts(logs, f"{block} {number}")),
        ]
    if not parts:
        return ""
    how = _HOW.format(seeds=f"{most} of {of.plan.seeds} seeds") + (_STAGED if staged else "")
    return "\n".join([*parts, paragraph(how, kind="muted small")])


def _charts(logs: Logs, of: str) -> list[tuple[str, str]]:
    """Return the charts of validation and of loss; `of` makes their labels unique on the page."""
    valid = _thin(curves(logs, score_of))
    loss = _thin(curves(logs, lambda row: row["loss"]))
    drawn = [
        (
            f"{judged_by(logs)} on the validation split",
            valid,
            f"Validation {judged_by(logs)} by epoch, {of}",
        ),
        ("Training loss", loss, f"Training loss by epoch, {of}"),
    ]
    return [(caption, line_chart(lines, label=label)) for caption, lines, label in drawn if lines]


def _thin(lines: list[Curve]) -> list[Curve]:
    """Return the same lines drawn thin, for a crowded chart."""
    return [replace(line, thin=True) for line in lines]
