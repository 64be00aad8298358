"""The progress of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results


def status_of(plan: Plan, results: Results) -> dict[str, Any]:
    """Return how many cells of each row are finished, and the seconds that they took."""
    missing = {place.key for place in results.missing(plan)}
    rows = []
    for row, places in plan.by_row(plan.places):
        done = [place for place in places if place.key not in missing]
        rows.append(
            {
                "row": row.name,
                "cells": len(places),
                "finished": len(done),
                "missing_seeds": [place.seed for place in places if place.key in missing],
                "seconds": sum(results.records[place.key]["seconds"] for place in done),
            }
        )
    cells = {place.key for place in plan.places}
    return {
        "title": plan.title,
        "data": plan.data_path,
        "fingerprint": plan.data,
        "cells": len(cells),
        "finished": len(cells - missing),
        "rows": rows,
    }


def status_table(found: Mapping[str, Any]) -> Table:
    """Return the status as a table for a terminal."""
    title = f"{found['title']}: {found['finished']} of {found['cells']} cells"
    table = Table(title=title, title_justify="left")
    table.add_column("row")
    for name in ("finished", "missing seeds", "seconds"):
        table.add_column(name, justify="right")
    for row in found["rows"]:
        seeds = ", ".join(map(str, row["missing_seeds"])) or "-"
        finished = f"{row['finished']}/{row['cells']}"
        table.add_row(row["row"], finished, seeds, f"{row['seconds']:.0f}")
    return table
