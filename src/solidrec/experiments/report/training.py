"""The report's charts of training: loss, validation, codebook use and the saturated share of the clip, epoch by epoch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from solidrec.epochs import score_of, select_of
from solidrec.experiments.report.comparison import Contender
from solidrec.experiments.report.page import escape, figures, legend, paragraph, table, tag
from solidrec.experiments.report.plots import Line, Series, line_chart

Row = dict[str, Any]
Looks = Mapping[str, Series]
Logs = Sequence[tuple[Series, list[Row]]]
"""How a run looks, and its log."""
CLIP = "A weight on the clip adds exactly T or −T to the trunk's, whatever the branch would have liked to add."


def training(contenders: Sequence[Contender], looks: Looks) -> str:
    """Return the curves of every run that has a log."""
    logs = logs_of(contenders, looks)
    if not logs:
        return ""
    loss = curves(logs, lambda row: row["loss"])
    valid = curves(logs, score_of)
    drawn = [("Training loss", line_chart(loss, label="Training loss by epoch"))] if loss else []
    if valid:
        judged = judged_by(logs)
        drawn.append((f"{judged} on the validation split", line_chart(valid, label=f"Validation {judged} by epoch")))
    parts = [legend([look for look, _ in logs]), figures(*drawn), stage_table(logs)]
    dashes = " A dashed curve is the second stage (Eq. 13, with the codebook), which starts from the best weights of the first."
    staged = any(row["stage"] > 1 for _, rows in logs for row in rows)
    missing = "" if valid else " There is no validation split here: the last epoch was kept."
    kept = f"The marker sits on the epoch that was kept.{dashes if staged else ''}{missing}{unused(logs)}"
    parts.append(paragraph(kept, kind="muted"))
    return "\n".join(parts)


def logs_of(contenders: Sequence[Contender], looks: Looks) -> Logs:
    """Return the looks of the runs that have a log, with it."""
    found = [(looks[entry.name], entry.run.history) for entry in contenders if entry.run is not None]
    return [(look, rows) for look, rows in found if rows]


def judged_by(logs: Logs) -> str:
    """Name the validation metrics that judged the epochs of some logs.

    >>> judged_by([(None, [{"valid": {"UAUC": 0.7}}])])
    'UAUC'
    """
    return " and ".join(dict.fromkeys(select_of(row) for _, rows in logs for row in rows))


def by_stage(rows: Sequence[Row]) -> dict[int, list[Row]]:
    """Return the rows of each stage."""
    return {stage: [row for row in rows if row["stage"] == stage] for stage in sorted({row["stage"] for row in rows})}


def chosen(rows: Sequence[Row]) -> Row | None:
    """Return the row of the epoch that a stage kept: the last one that was the best so far."""
    return next((row for row in reversed(rows) if row["best"]), None)


def curves(logs: Logs, value: Callable[[Row], Any]) -> list[Line]:
    """Return one line a run and stage, a stage to the right of the one before it; epochs without a value are left out."""
    lines = []
    for look, rows in logs:
        before = 0
        for stage, part in by_stage(rows).items():
            counted = [row for row in part if value(row) is not None]
            kept = chosen(part)
            places = [before + row["epoch"] for row in counted]
            mark = counted.index(kept) if kept in counted else None
            if counted:
                lines.append(Line(look, places, [value(row) for row in counted], dashed=stage > 1, chosen=mark))
            before += part[-1]["epoch"]
    return lines


def unused(logs: Logs) -> str:
    """Say which runs kept the start of a stage, because no epoch of it was better."""
    kept = [(look, chosen(part)) for look, log in logs for part in by_stage(log).values()]
    names = [escape(look.label) for look, row in kept if row is not None and row["epoch"] == 0]
    return "".join(f" {name} kept epoch 0 of its second stage: no epoch with the codebook validated better." for name in names)


def stage_table(logs: Logs) -> str:
    """Return the kept epoch of every stage."""
    rows = []
    for look, log in logs:
        for stage, part in by_stage(log).items():
            kept = chosen(part) or part[-1]
            valid = score_of(kept)
            minutes = sum(row["seconds"] for row in part) / 60
            epochs = f"{kept['epoch']} of {part[-1]['epoch']}"
            rows.append([tag(look), str(stage), epochs, "–" if valid is None else f"{valid:.4f}", f"{minutes:.1f}"])
    return table(["", "stage", "epoch kept", f"validation {judged_by(logs)}", "minutes"], rows)


def codebook(contenders: Sequence[Contender], looks: Looks) -> str:
    """Return the health of every codebook, and how much of each clipped branch sits on the clip."""
    logs = logs_of(contenders, looks)
    clips = {looks[entry.name].label: entry.run.spec.model.clip for entry in contenders if entry.run is not None}
    read, clipped = with_codes(logs), with_clip(logs)
    words = [paragraph(escape(used_words(look.label, rows))) for look, rows in read]
    said = [escape(clip_words(look.label, rows, clips[look.label])) for look, rows in clipped]
    words += [paragraph(" ".join([*said, CLIP]))] if clipped else []
    return "\n".join([*words, health(logs)])


def with_codes(logs: Logs) -> Logs:
    """Return the logs that tell of a codebook."""
    return [(look, rows) for look, rows in logs if any("codes_used" in row for row in rows)]


def with_clip(logs: Logs) -> Logs:
    """Return the logs that tell of a clip."""
    return [(look, rows) for look, rows in logs if any("saturated" in row for row in rows)]


def health(logs: Logs, *, of: str = "") -> str:
    """Return the charts of codebooks and clips that the logs tell of, if any; `of` tells them from others of the page."""
    read, clipped = with_codes(logs), with_clip(logs)
    if not read and not clipped:
        return ""
    shown = [look for look, _ in logs if any(look == other for other, _ in [*read, *clipped])]
    drawn = [*(code_charts(read, of) if read else ()), *(clip_charts(clipped, of) if clipped else ())]
    return "\n".join([legend(shown), figures(*drawn)])


def used_words(label: str, rows: Sequence[Row]) -> str:
    """Say how many codes were in use at the end, how evenly, and how often one was revived."""
    used = [row for row in rows if "codes_used" in row]
    last, revived = used[-1], sum(row.get("codes_revived", 0) for row in used)
    return (
        f"{label}: {last['codes_used']:,} of {size_of(rows):,} codes were chosen in the last epoch, as evenly as "
        f"{last['perplexity']:.0f} codes of equal use (perplexity); dead codes were revived {revived:,} times."
    )


def clip_words(label: str, rows: Sequence[Row], clip: float) -> str:
    """Say how much of the branch sits on the clip at the end."""
    last = [row["saturated"] for row in rows if "saturated" in row][-1]
    return f"{label} ends with {last:.1%} of the branch's weights on the clip (T = {clip:g})."


def size_of(rows: Sequence[Row]) -> int:
    """Return how many codes a codebook has."""
    return next(int(row["codes_used"] + row["codes_dead"]) for row in rows if "codes_used" in row)


def code_charts(logs: Logs, of: str = "") -> list[tuple[str, str]]:
    """Return the charts of codes used and how evenly, and of dead and revived ones."""

    def lines(key: str, **style: bool) -> list[Line]:
        found = []
        for look, rows in logs:
            part = [row for row in rows if key in row]
            found.append(Line(look, [row["epoch"] for row in part], [row[key] for row in part], **style))
        return found

    size = max(size_of(rows) for _, rows in logs)
    staged = all(row["stage"] > 1 for _, rows in logs for row in rows if "codes_used" in row)
    place = "epoch of stage 2" if staged else "epoch"
    used = lines("codes_used") + lines("perplexity", dashed=True)
    dead = lines("codes_dead") + lines("codes_revived", points=True)
    health = line_chart(
        used, label=f"Codes used and perplexity by epoch{of}", x_label=place, counts=True, limit=(size, f"all {size:,} codes")
    )
    return [
        ("Codes used (solid) and perplexity (dashed)", health),
        (
            "Dead codes (line) and revived ones (points)",
            line_chart(dead, label=f"Dead and revived codes by epoch{of}", x_label=place, counts=True),
        ),
    ]


def clip_charts(logs: Logs, of: str = "") -> list[tuple[str, str]]:
    """Return the chart of the saturated share."""
    lines = curves(logs, lambda row: row.get("saturated"))
    return [("Share of the branch's weights on the clip", line_chart(lines, label=f"Saturated share by epoch{of}", share=True))]
