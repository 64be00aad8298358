"""A table of results as Markdown, LaTeX and CSV, and for a terminal."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

from rich.table import Table
from rich.text import Text

from solidrec.experiments.tables.contrasts import Contrast
from solidrec.experiments.tables.result_table import ResultTable, TableCell, TableLine

NONE = "-"
_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "−": "--",
    "·": r"$\cdot$",
    "λ": r"$\lambda$",
    "<": r"$<$",
    ">": r"$>$",
    "×": r"$\times$",
    "`": "",
    "*": r"$^{*}$",
    "–": "--",
    "[": "{[}",
    "]": "{]}",  # LaTeX reads a bracket after a line end as a length
}
_MARKDOWN = {"\\": "\\\\", "|": r"\|", "*": r"\*", "_": r"\_", "<": "&lt;", "\n": " "}
_CELLS = (
    "table",
    "protocol",
    "block",
    "row",
    "metric",
    "mean",
    "sd",
    "low",
    "high",
    "seeds",
    "seeds_wanted",
    "users",
    "star",
    "best",
    "paper",
    "over_paper",
)
_CONTRASTS = (
    "table",
    "protocol",
    "one",
    "other",
    "metric",
    "difference",
    "low",
    "high",
    "p_holm",
    "d_z",
    "seeds",
    "users",
    "star",
    "note",
)


class Entry(NamedTuple):
    """The text of one place in a grid."""

    text: str
    bold: bool = False


@final
@dataclass(frozen=True)
class Grid:
    """Heads and lines of text; ``blocks`` names the block of each line, empty for none."""

    title: str
    heads: tuple[str, ...]
    lines: tuple[tuple[Entry, ...], ...]
    blocks: tuple[str, ...]


def grids(table: ResultTable) -> list[Grid]:
    """Return a table as up to three grids: rows, rows beside the paper's values, comparisons."""
    title = f"{table.title} ({table.label})"
    main = next(
        (
            metric
            for metric in table.metrics
            if any(c.low is not None for c in _column(table, metric))
        ),
        None,
    )
    heads = ("", *table.metrics, *([f"{main} [95 %]"] if main else []), "seeds")
    blocks = tuple(line.block for line in table.lines)
    found = [Grid(title, heads, tuple(_line(line, main) for line in table.lines), blocks)]
    held = [line for line in table.lines if any(cell.paper is not None for cell in line.cells)]
    metrics = [
        metric
        for metric in table.metrics
        if any(cell.paper is not None for cell in _column(table, metric))
    ]
    if held:
        lines = tuple(
            (Entry(line.name), *(Entry(_paper_text(c)) for c in line.cells if c.metric in metrics))
            for line in held
        )
        found.append(
            Grid(
                f"{title}: the paper's value (ours less it)",
                ("", *metrics),
                lines,
                tuple(line.block for line in held),
            )
        )
    if table.contrasts:
        found.append(contrasts_grid(f"{title}: comparisons", table.contrasts))
    return found


def contrasts_grid(title: str, contrasts: Sequence[Contrast]) -> Grid:
    """Return comparisons as a grid."""
    heads = ("", "less", "metric", "difference [95 %]", "p (Holm)", "d_z", "")
    return Grid(title, heads, tuple(_contrast(each) for each in contrasts), ("",) * len(contrasts))


def mean_text(cell: TableCell) -> str:
    """Format a mean with its spread and star.

    >>> mean_text(Cell("UAUC", 0.78671, 0.00123, 0.77, 0.79, star=True, best=False, paper=None))
    '0.7867 ± 0.0012*'
    """
    if cell.mean is None:
        return NONE
    spread = "" if cell.spread is None else f" ± {cell.spread:.4f}"
    return f"{cell.mean:.4f}{spread}{'*' if cell.star else ''}"


def _paper_text(cell: TableCell) -> str:
    """Format the paper's value, with the difference of the measured one.

    >>> _paper_text(Cell("UAUC", 0.79, None, None, None, star=False, best=False, paper=0.78))
    '0.7800 (+0.0100)'
    """
    over = "" if cell.over_paper is None else f" ({cell.over_paper:+.4f})"
    return NONE if cell.paper is None else f"{cell.paper:.4f}{over}"


def _p_text(p: float | None) -> str:
    """Format a p value.

    >>> _p_text(None), _p_text(0.00002), _p_text(0.0312)
    ('-', '< .001', '.031')
    """
    return NONE if p is None else "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def markdown(table: ResultTable) -> str:
    """Return a table with its comparisons and notes as Markdown."""
    return "\n\n".join([*map(grid_markdown, grids(table)), *table.notes]) + "\n"


def grid_markdown(grid: Grid) -> str:
    """Return a grid as a Markdown table below its title; a block begins with its own line."""
    lines = [grid.heads, tuple("---" if index == 0 else "---:" for index in range(len(grid.heads)))]
    for block, line in _by_block(grid):
        if block is not None:
            lines.append((f"*{_escaped(block, _MARKDOWN)}*", *[""] * (len(grid.heads) - 1)))
        lines.append(
            tuple(
                f"**{_escaped(p.text, _MARKDOWN)}**" if p.bold else _escaped(p.text, _MARKDOWN)
                for p in line
            )
        )
    return f"**{_escaped(grid.title, _MARKDOWN)}**\n\n" + "\n".join(
        f"| {' | '.join(line)} |" for line in lines
    )


def latex(table: ResultTable) -> str:
    """Return a table with its comparisons as LaTeX (booktabs), the notes below the first grid."""
    first, *rest = grids(table)
    return "\n".join([grid_latex(first, table.notes), *(grid_latex(grid) for grid in rest)])


def grid_latex(grid: Grid, notes: Sequence[str] = ()) -> str:
    """Return a grid as a LaTeX table."""
    heads = " & ".join(_escaped(head, _LATEX) for head in grid.heads)
    lines: list[str] = []
    for block, line in _by_block(grid):
        if block is not None:
            rule = [r"\midrule"] if lines else []
            lines += [
                *rule,
                rf"\multicolumn{{{len(grid.heads)}}}{{l}}{{\emph{{{_escaped(block, _LATEX)}}}}} \\",
            ]
        texts = (
            rf"\textbf{{{_escaped(p.text, _LATEX)}}}" if p.bold else _escaped(p.text, _LATEX)
            for p in line
        )
        lines.append(" & ".join(texts) + r" \\")
    caption, columns = _escaped(grid.title, _LATEX), f"l{'r' * (len(grid.heads) - 1)}"
    begin = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption}}}",
        rf"\begin{{tabular}}{{{columns}}}",
    ]
    under = (
        [rf"\par\medskip{{\footnotesize {_escaped(' '.join(notes), _LATEX)}\par}}"] if notes else []
    )
    end = [r"\bottomrule", r"\end{tabular}", *under, r"\end{table}", ""]
    return "\n".join([*begin, r"\toprule", heads + r" \\", r"\midrule", *lines, *end])


def rich_table(grid: Grid) -> Table:
    """Return a grid as a table for a terminal."""
    table = Table(title=Text(grid.title), title_justify="left")
    for index, head in enumerate(grid.heads):
        table.add_column(Text(head), justify="left" if index == 0 else "right", no_wrap=index == 0)
    for block, line in _by_block(grid):
        if block is not None:
            table.add_section()
            table.add_row(Text(block, style="italic"))
        table.add_row(*(Text(part.text, style="bold" if part.bold else "") for part in line))
    return table


def cells_csv(tables: Iterable[ResultTable]) -> str:
    """Return the raw numbers of tables as CSV, one line per cell; missing ones are empty."""
    return csv_text(
        _CELLS,
        (
            (
                table.title,
                table.label,
                line.block,
                line.name,
                cell.metric,
                cell.mean,
                cell.spread,
                cell.low,
                cell.high,
                line.seeds,
                line.wanted,
                table.users,
                int(cell.star),
                int(cell.best),
                cell.paper,
                cell.over_paper,
            )
            for table in tables
            for line in table.lines
            for cell in line.cells
        ),
    )


def contrasts_csv(tables: Iterable[ResultTable]) -> str:
    """Return the raw numbers of the tables' comparisons as CSV, one line each."""
    return csv_text(
        _CONTRASTS,
        (
            (table.title, table.label, *_numbers(each))
            for table in tables
            for each in table.contrasts
        ),
    )


def csv_text(heads: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Return lines below their heads as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(lines)
    return out.getvalue()


def _column(table: ResultTable, metric: str) -> list[TableCell]:
    return [cell for line in table.lines for cell in line.cells if cell.metric == metric]


def _line(line: TableLine, main: str | None) -> tuple[Entry, ...]:
    of_main = next((cell for cell in line.cells if cell.metric == main), None)
    around = (
        []
        if of_main is None
        else [Entry(NONE if of_main.low is None else f"{of_main.low:.4f} .. {of_main.high:.4f}")]
    )
    return (
        Entry(line.name),
        *(Entry(mean_text(cell), cell.best) for cell in line.cells),
        *around,
        Entry(line.seeds_text),
    )


def _contrast(contrast: Contrast) -> tuple[Entry, ...]:
    of, found = contrast.comparison, contrast.found
    if found is None:
        return tuple(map(Entry, (of.one, of.other, of.metric, NONE, NONE, NONE, contrast.note)))
    gap = f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]{'*' if contrast.star else ''}"
    effect = NONE if found.effect is None else f"{found.effect:+.2f}"
    return tuple(
        map(Entry, (of.one, of.other, of.metric, gap, _p_text(contrast.p), effect, contrast.note))
    )


def _numbers(contrast: Contrast) -> tuple[object, ...]:
    of, found = contrast.comparison, contrast.found
    numbers = (
        (found.mean, found.low, found.high, contrast.p, found.effect, found.seeds, found.users)
        if found
        else (None,) * 7
    )
    return (of.one, of.other, of.metric, *numbers, int(contrast.star), contrast.note)


def _by_block(grid: Grid) -> Iterable[tuple[str | None, tuple[Entry, ...]]]:
    """Yield the lines, each with its block where one begins, else None."""
    before = ""
    for block, line in zip(grid.blocks, grid.lines, strict=True):
        yield (block if block != before else None), line
        before = block


def _escaped(text: str, marks: dict[str, str]) -> str:
    """Replace the characters that have a meaning in the target format."""
    return "".join(marks.get(letter, letter) for letter in text)
