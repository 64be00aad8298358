"""What a person sees while an experiment runs."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from solidrec.experiments.live import Board
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results


def test_titles_and_names_are_shown_as_they_are_written(measured_experiment: Path) -> None:
    """A row may be called ``[/red]``: rich reads that as markup that closes nothing, an error."""
    plan, results = Plan.load(measured_experiment), Results(measured_experiment)
    names = {row.name: f"[/red] {row.name}" for row in plan.rows}
    odd = replace(
        plan,
        title="[bold]title",
        rows=tuple(replace(row, name=names[row.name]) for row in plan.rows),
        places=tuple(replace(place, row=names[place.row]) for place in plan.places),
    )
    console = Console(file=io.StringIO(), width=100, record=True)
    console.print(Board(odd, results, jobs=1, to=console).render())
    shown = console.export_text()
    assert "[bold]title" in shown
    assert "[/red] solid-duet" in shown
