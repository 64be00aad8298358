"""``solidrec experiment report``: one self-contained HTML file about all finished cells.

The page has no scripts and loads nothing, and the same folder gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from solidrec.console import console, counted
from solidrec.disk import write_file
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.experiment_tables import write_tables
from solidrec.report.bars import bars
from solidrec.report.codebook import codebooks
from solidrec.report.cost import cost
from solidrec.report.curves import training_curves
from solidrec.report.grid import penalty_and_clip
from solidrec.report.headline import (
    baseline_words,
    finished_words,
    headline,
    more_verdicts,
    unfinished_words,
)
from solidrec.report.material import Material, material
from solidrec.report.norms import norms
from solidrec.report.page import render
from solidrec.report.protocol import protocol
from solidrec.report.provenance import provenance
from solidrec.report.samples import samples
from solidrec.report.semantics import semantics_of
from solidrec.report.stability import stability
from solidrec.report.tables import few_events, result_tables
from solidrec.report.targets import targets

_REPORT = "report.html"


_SECTIONS: dict[str, tuple[str, Callable[[Material], object]]] = {
    "sweep": ("λ and T", penalty_and_clip),
    "stability": ("Stability", stability),
    "cost": ("Cost", cost),
    "few_events": ("Users of few events", few_events),
    "bars": ("At a glance", bars),
    "tables": ("Tables", result_tables),
    "targets": ("Cold, rare and warm targets", targets),
    "training": ("Training", training_curves),
    "codebook": ("Codebook and clip", codebooks),
    "norms": ("Trunk and branch", norms),
    "semantics": ("What the semantic ids contain", semantics_of),
    "samples": ("Sample recommendations", samples),
    "protocol": ("How this was measured", protocol),
    "provenance": ("Where it comes from", provenance),
}
"""The sections in order: name, heading, and what makes the values; those without are left out."""


def write_experiment_report(out: Path, path: Path | None = None, *, progress: bool = False) -> Path:
    """Write the report of the experiment in `out` to `path`, and its tables beside the results.

    The default path is OUT/report.html. The report names runs, users or data that are missing and
    leaves out what depends on them. Raises `StorageError` if `out` is no experiment or the disk
    refuses, and `DamagedError` for damaged results.
    """
    path = path or out / _REPORT
    with counted(console, "report", len(_SECTIONS) + 1, shown=progress) as advance:
        of = material(Plan.load(out), Results(out))
        write_tables(out, of.tables, of.measures)
        advance(1)
        sections = []
        for name, (heading, make) in _SECTIONS.items():
            if values := make(of):
                sections.append((name, heading, values))
            advance(1)
    text = render(
        "page.html",
        title=of.plan.title,
        headline=headline(of),
        lead=[*more_verdicts(of), baseline_words(of), finished_words(of)],
        notes=[*of.lacking, unfinished_words(of)],
        sections=sections,
    )
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path
