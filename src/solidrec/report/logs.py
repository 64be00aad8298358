"""Charts of training logs by epoch: validation, codebook use and saturated share of the clip."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from solidrec.epochs import select_of
from solidrec.report.plots import Curve, Series, line_chart
from solidrec.report.section import Charts, Drawn

Row = dict[str, Any]
Logs = Sequence[tuple[Series, list[Row]]]
"""Pairs of the look of a run and its log."""
CLIP = (
    "A weight on the clip adds exactly T or −T to the trunk's, whatever the branch would have "
    "liked to add."
)


def judged_by(logs: Logs) -> str:
    """Name the validation metrics that judged the epochs of some logs.

    >>> judged_by([(None, [{"valid": {"UAUC": 0.7}}])])
    'UAUC'
    """
    return " and ".join(dict.fromkeys(select_of(row) for _, rows in logs for row in rows))


def curves(logs: Logs, value: Callable[[Row], Any]) -> list[Curve]:
    """Return one line per run and stage, each stage to the right of the one before it.

    Epochs without a value are left out.
    """
    lines = []
    for look, rows in logs:
        before = 0
        for stage in sorted({row["stage"] for row in rows}):
            part = [row for row in rows if row["stage"] == stage]
            counted = [row for row in part if value(row) is not None]
            # the epoch that the stage kept: the last one that was the best so far
            kept = next((row for row in reversed(part) if row["best"]), None)
            mark = counted.index(kept) if kept in counted else None
            if counted:
                x, y = [before + row["epoch"] for row in counted], [value(row) for row in counted]
                lines.append(Curve(look, x, y, dashed=stage > 1, chosen=mark))
            before += part[-1]["epoch"]
    return lines


def _with(key: str, logs: Logs) -> Logs:
    """Return the logs that have a number under `key`."""
    return [(look, rows) for look, rows in logs if any(key in row for row in rows)]


def health(logs: Logs, heading: str = "", *, of: str = "") -> list[Charts]:
    """Return the charts of codebooks and clips in the logs; `of` makes their labels unique."""
    read, clipped = _with("codes_used", logs), _with("saturated", logs)
    if not read and not clipped:
        return []
    drawn = [*(_code_charts(read, of) if read else ())]
    if clipped:
        lines = curves(clipped, lambda row: row.get("saturated"))
        chart = line_chart(lines, label=f"Saturated share by epoch{of}", share=True)
        drawn.append(("Share of the branch's weights on the clip", chart))
    described = {look for look, _ in [*read, *clipped]}
    shown = [look for look, _ in logs if look in described]
    return [Charts(drawn, heading, shown)]


def size_of(rows: Sequence[Row]) -> int:
    """Return the number of codes of a codebook, as its log gives it."""
    return next(int(row["codes_used"] + row["codes_dead"]) for row in rows if "codes_used" in row)


def _code_charts(logs: Logs, of: str) -> Drawn:
    """Return two charts: used codes with their perplexity, and dead codes with revived ones."""

    def lines(key: str, **style: bool) -> list[Curve]:
        found = []
        for look, rows in logs:
            part = [row for row in rows if key in row]
            found.append(
                Curve(look, [row["epoch"] for row in part], [row[key] for row in part], **style)
            )
        return found

    size = max(size_of(rows) for _, rows in logs)
    staged = all(row["stage"] > 1 for _, rows in logs for row in rows if "codes_used" in row)
    place = "epoch of stage 2" if staged else "epoch"
    used = line_chart(
        lines("codes_used") + lines("perplexity", dashed=True),
        label=f"Codes used and perplexity by epoch{of}",
        x_label=place,
        counts=True,
        limit=(size, f"all {size:,} codes"),
    )
    dead = line_chart(
        lines("codes_dead") + lines("codes_revived", points=True),
        label=f"Dead and revived codes by epoch{of}",
        x_label=place,
        counts=True,
    )
    return [
        ("Codes used (solid) and perplexity (dashed)", used),
        ("Dead codes (line) and revived ones (points)", dead),
    ]
