"""The report: one HTML file without scripts and without anything from elsewhere, written for a person who wants to look.

Everything that comes from data is escaped; the same input gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from solidrec.artifacts import write_file
from solidrec.data.prepared import PreparedData
from solidrec.experiments.report.comparison import Contender, caution, check, headline
from solidrec.experiments.report.metrics import comparison, targets
from solidrec.experiments.report.page import escape, page, paragraph, short, table, tag
from solidrec.experiments.report.plots import Series
from solidrec.experiments.report.protocol import protocol, provenance
from solidrec.experiments.report.semantics import semantic_ids
from solidrec.experiments.report.training import codebook, training
from solidrec.semantics.ids import SemanticIds

__all__ = ["Contender", "Sample", "write_report"]


@final
@dataclass(frozen=True)
class Sample:
    """A history as titles, each contender's ranked titles by its name, and the title that came next if it is known."""

    history: list[str]
    answers: dict[str, list[str]]
    truth: str | None


def write_report(
    path: Path,
    *,
    title: str,
    data: PreparedData,
    contenders: Sequence[Contender],
    semantics: SemanticIds | None,
    samples: Sequence[Sample],
    command: str,
    seconds: float,
    notes: Sequence[str],
) -> None:
    """Write the comparison of `contenders` to `path`, with what a reader needs to trust it.

    Raises `UsageError` when there are no contenders, two of one name or different users behind them, and
    `StorageError` when the disk refuses.
    """
    check(contenders)
    looks = series_of(contenders)
    sections = [
        ("comparison", "Comparison", comparison(contenders, looks)),
        ("training", "Training", training(contenders, looks)),
        ("codebook", "Codebook and clip", codebook(contenders, looks)),
        ("targets", "Cold, rare and warm targets", targets(contenders, looks)),
        ("semantics", "What the semantic ids contain", semantic_ids(data, semantics)),
        ("samples", "Sample recommendations", "\n".join(sample(one, looks) for one in samples)),
        ("protocol", "How this was measured", protocol(data, contenders)),
        ("provenance", "Where it comes from", provenance(data, contenders, looks, command=command, seconds=seconds)),
    ]
    lead = [paragraph(escape(headline(contenders)), kind="headline"), paragraph(escape(caution(contenders)), kind="muted")]
    lead += [paragraph(re.sub("`([^`]+)`", r"<code>\1</code>", escape(note)), kind="note") for note in notes]
    text = page(title, lead, [entry for entry in sections if entry[2]], foot="Written by solidrec.")
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def series_of(contenders: Sequence[Contender]) -> dict[str, Series]:
    """Return how each contender looks in every chart and table, by its name."""
    looks, runs, baselines = {}, 0, 0
    for entry in contenders:
        if entry.run is None:
            looks[entry.name], baselines = Series.baseline(entry.label, baselines), baselines + 1
        else:
            looks[entry.name], runs = Series.run(entry.label, runs), runs + 1
    return looks


def sample(one: Sample, looks: dict[str, Series]) -> str:
    """Return one history and what each contender recommends after it, what came next marked."""
    history = "".join(f"<li>{short(title)}</li>" for title in one.history) or "<li>(no history)</li>"
    head = ["", *(tag(looks[name]) if name in looks else escape(name) for name in one.answers)]
    longest = max((len(answer) for answer in one.answers.values()), default=0)
    rows = [
        [str(place + 1), *(cell(answer[place], one.truth) if place < len(answer) else "" for answer in one.answers.values())]
        for place in range(longest)
    ]
    found = any(one.truth in answer for answer in one.answers.values())
    missed = "" if found else ' <span class="muted">(in none of these lists)</span>'
    truth = "" if one.truth is None else paragraph(f"Came next: <strong>{short(one.truth)}</strong>{missed}")
    before = paragraph("After this history, oldest first:", kind="muted")
    return f'<div class="sample">{before}<ol class="history">{history}</ol>{truth}{table(head, rows, kind="lists")}</div>'


def cell(title: str, truth: str | None) -> str:
    """Return a recommended title, marked if it is what came next."""
    return f'<span class="hit">✓ {short(title)}</span>' if title == truth else short(title)
