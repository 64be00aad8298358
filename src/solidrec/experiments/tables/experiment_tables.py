"""The tables of an experiment's folder: one per protocol, and those of other measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from solidrec.disk import write_file
from solidrec.errors import UsageError
from solidrec.experiments.plan import Plan
from solidrec.experiments.results import Results
from solidrec.experiments.tables.comparisons import BACKBONE, MODEL, TESTED
from solidrec.experiments.tables.contrasts import Compared, compare_rows
from solidrec.experiments.tables.cost import cost_table
from solidrec.experiments.tables.few_events import few_events_table
from solidrec.experiments.tables.measure import MeasureTable, measures_csv
from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.result_table import PAPER_NEGATIVES, Layout, ResultTable
from solidrec.experiments.tables.result_text import cells_csv, contrasts_csv, grids
from solidrec.experiments.tables.stability import stability_table
from solidrec.experiments.tables.sweep import LAYOUT as GRID
from solidrec.experiments.tables.sweep import sweep_table
from solidrec.experiments.tables.tabulate import result_table
from solidrec.settings import value_at
from solidrec.text_grid import Grid, latex, markdown

_PAPER_TABLES = {"table1": 1, "table2": 2, "table3": 3}


def tables_of(
    plan: Plan, results: Results, measured: Mapping[str, Sequence[Measured]] | None = None
) -> list[ResultTable]:
    """Return one table for each protocol of a plan; unfinished cells are shown as missing.

    `measured` are the rows under each protocol, if they are already read.
    """
    layout = layout_of(plan, results)
    rows = measured_of(plan, results) if measured is None else measured
    return [result_table(rows[protocol], layout) for protocol in plan.protocols]


def measured_of(plan: Plan, results: Results) -> dict[str, Sequence[Measured]]:
    """Return the rows of a plan under each of its protocols."""
    return {protocol: results.measured(plan, protocol) for protocol in plan.protocols}


def layout_of(plan: Plan, results: Results) -> Layout:
    """Return the layout of a plan's tables; a figure 5 has tests only with a named reference."""
    return Layout(
        plan.title,
        expected={row.name: row.labels for row in plan.rows},
        seeds=plan.seeds,
        reference=plan.reference,
        paper=_PAPER_TABLES.get(plan.layout),
        data_name=plan.data_name,
        fixed={
            key: str(value)
            for key in (MODEL, BACKBONE)  # what all rows share
            if (value := value_at(plan.settings, key)) is not None
        },
        negatives=results.negatives(plan) or PAPER_NEGATIVES,
        tested=() if plan.layout == GRID and plan.reference is None else TESTED,
    )


def measures_of(
    plan: Plan, results: Results, measured: Mapping[str, Sequence[Measured]] | None = None
) -> list[MeasureTable]:
    """Return the tables of other measures.

    These are λ against T (Figure 5), stability (Table 4), cost (Table 5) and few events. `measured`
    are the rows under each protocol, if they are already read.
    """
    if measured is None:
        measured = measured_of(plan, results)
    made = (
        sweep_table(plan, results, measured),
        stability_table(plan, results),
        cost_table(plan, results),
        few_events_table(plan, results),
    )
    return [table for table in made if table is not None]


def grids_and_notes(
    tables: Sequence[ResultTable], measures: Sequence[MeasureTable]
) -> list[tuple[Sequence[Grid], Sequence[str]]]:
    """Return what every table shows, in the order of its pages."""
    return [
        *((grids(table), table.notes) for table in tables),
        *((table.grids, table.notes) for table in measures),
    ]


def write_tables(
    out: Path, tables: Sequence[ResultTable], measures: Sequence[MeasureTable] = ()
) -> list[Path]:
    """Write tables as Markdown and LaTeX, raw numbers as CSV (``measures.csv`` only if any)."""
    shown = grids_and_notes(tables, measures)
    texts = {
        "tables.md": "\n\n".join(markdown(*each) for each in shown) + "\n",
        "tables.tex": "\n\n".join(latex(*each) for each in shown) + "\n",
        "cells.csv": cells_csv(tables),
        "comparisons.csv": contrasts_csv(tables),
        **({"measures.csv": measures_csv(measures)} if measures else {}),
    }
    for name, text in texts.items():
        write_file(out / name, partial(Path.write_text, data=text, encoding="utf-8"))
    return [out / name for name in texts]


def compared(a: Path, b: Path) -> dict[str, Compared]:
    """Compare rows of the same name in two folders, under each protocol that both have.

    Raises `UsageError` if they have no protocol in common, or were measured on different data.
    """
    plan_a, plan_b = Plan.load(a), Plan.load(b)
    if plan_a.data != plan_b.data:
        raise UsageError(
            f"{a} is on {plan_a.data_name} ({plan_a.data[:12]}) and {b} is on {plan_b.data_name} "
            f"({plan_b.data[:12]}); results on different data are not compared"
        )
    shared = [protocol for protocol in plan_a.protocols if protocol in plan_b.protocols]
    if not shared:
        raise UsageError(
            f"{a} was measured under {', '.join(plan_a.protocols)} and {b} under "
            f"{', '.join(plan_b.protocols)}; different protocols are not compared"
        )
    of_a, of_b = Results(a), Results(b)
    return {
        protocol: compare_rows(of_a.measured(plan_a, protocol), of_b.measured(plan_b, protocol))
        for protocol in shared
    }
