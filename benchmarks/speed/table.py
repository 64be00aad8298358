"""The table of a benchmark: one line per subject, with both clocks and all numbers of threads."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from speed.compare import Change
from speed.measurement import Row

Line = list[str]


def table_lines(rows: Sequence[Row]) -> tuple[Line, list[Line]]:
    """Return the heads and the lines of the table, as text.

    *x peer* and *% of floor* are those of the smallest number of threads, by the CPU clock. The
    memory that a call adds to the peak follows it in brackets.
    """
    threads = sorted({row.threads for row in rows})
    heads = ["", "unit"]
    for count in threads:
        name = f"{count} thread{'s' if count > 1 else ''}"
        heads += [f"{name}, CPU", f"{name}, wall"]
    heads += ["peak MB", "x peer", "peer", "% of floor"]
    names = dict.fromkeys(row.name for row in rows)
    return heads, [line([row for row in rows if row.name == name], threads) for name in names]


def line(rows: Sequence[Row], threads: Sequence[int]) -> Line:
    """Return the line of the rows of one subject."""
    clocks = [row for row in rows if not row.unit.startswith("MB")]
    memory = {row.unit: row.value for row in reversed(rows)}  # that of the first rows
    first = next(
        (row for row in clocks if row.threads == threads[0] and "cpu" in row.unit), clocks[0]
    )
    cells = [cell(clocks, count, cpu=cpu) for count in threads for cpu in (True, False)]
    peak = number(memory["MB peak"]) if "MB peak" in memory else ""
    peak += f" (+{memory['MB extra']:.0f})" if "MB extra" in memory else ""
    ratio = "" if first.ratio is None else f"{first.ratio:.2f}"
    floor = "" if first.floor_percent is None else f"{first.floor_percent:.1f}"
    return [first.name, plain_unit(first), *cells, peak, ratio, first.peer or "", floor]


def cell(rows: Sequence[Row], threads: int, *, cpu: bool) -> str:
    """Return one figure, or "-" if it is missing."""
    return next(
        (
            number(row.value)
            for row in rows
            if row.threads == threads and ("cpu" in row.unit) == cpu
        ),
        "-",
    )


def plain_unit(row: Row) -> str:
    """Return a unit without its clock.

    >>> [plain_unit(Row("a", 1, unit, 1, 1, 1)) for unit in ("positives/cpu-s", "ms cpu/call")]
    ['positives/s', 'ms/call']
    """
    return row.unit.replace("cpu-s", "s").replace("ms cpu", "ms")


def number(value: float) -> str:
    """Return a figure with about three significant digits.

    >>> number(123456.7), number(12.34), number(0.01234)
    ('123,457', '12.3', '0.012')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.3f}"


def rich_tables(rows: Sequence[Row]) -> list[Table]:
    """Return the tables for a terminal, one per group, with the unit in its title."""
    tables = []
    for group in dict.fromkeys(group_of(row.name) for row in rows):
        heads, lines = table_lines([row for row in rows if group_of(row.name) == group])
        table = Table(title=f"{group}: {lines[0][1]}", title_justify="left", box=SIMPLE_HEAD)
        for head in heads:
            if head != "unit":
                words = head in ("", "peer")
                table.add_column(head, justify="left" if words else "right", no_wrap=words)
        for name, _, *cells in lines:
            table.add_row(*(part.removeprefix(f"{group}/") for part in (name, *cells)))
        tables.append(table)
    return tables


def group_of(name: str) -> str:
    """Return the part of a name before its first slash."""
    return name.partition("/")[0]


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    heads, lines = table_lines(rows)
    marks = ["---" if head in ("", "unit", "peer") else "---:" for head in heads]
    return "\n".join(f"| {' | '.join(line)} |" for line in (heads, marks, *lines))


def changes_table(title: str, found: Sequence[Change]) -> Table:
    """Return the table of two runs, side by side."""
    table = Table("", "unit", "threads", "before", "after", "x", title=title, title_justify="left")
    for change in found:
        figures = number(change.before), number(change.after), f"{change.factor:.2f}"
        table.add_row(change.name, change.unit, str(change.threads), *figures)
    return table
