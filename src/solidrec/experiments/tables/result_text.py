"""A table of results as grids of text, and its raw numbers as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from solidrec.experiments.tables.contrasts import Contrast
from solidrec.experiments.tables.result_table import ResultTable, TableCell
from solidrec.text_grid import NONE, Entry, Grid, csv_text

_CELLS = (
    "table,protocol,block,row,metric,mean,sd,low,high,seeds,seeds_wanted,users,star,best,paper,"
    "over_paper"
)
_CONTRASTS = "table,protocol,one,other,metric,difference,low,high,p_holm,d_z,seeds,users,star,note"


def grids(table: ResultTable) -> list[Grid]:
    """Return a table as up to three grids: rows, rows beside the paper's values, comparisons."""
    title = f"{table.title} ({table.label})"
    found = [_main_grid(title, table)]
    if _columns_with("paper", table):
        found.append(_paper_grid(f"{title}: the paper's value (ours less it)", table))
    if table.contrasts:
        found.append(contrasts_grid(f"{title}: comparisons", table.contrasts))
    return found


def _main_grid(title: str, table: ResultTable) -> Grid:
    """Return the rows with their means, and the interval of the first metric that has one."""
    main = _columns_with("low", table)[:1]
    lines = [
        (
            Entry(line.name),
            *(Entry(mean_text(cell), cell.best) for cell in line.cells),
            *(Entry(_interval_text(line.cells[at])) for at in main),
            Entry(line.seeds_text),
        )
        for line in table.lines
    ]
    heads = ("", *table.metrics, *(f"{table.metrics[at]} [95 %]" for at in main), "seeds")
    return Grid.of(title, heads, lines, blocks=(line.block for line in table.lines))


def _paper_grid(title: str, table: ResultTable) -> Grid:
    """Return the rows and metrics that the paper has a value of."""
    rows = [line for line in table.lines if any(cell.paper is not None for cell in line.cells)]
    columns = _columns_with("paper", table)
    lines = [(line.name, *(_paper_text(line.cells[at]) for at in columns)) for line in rows]
    heads = ("", *(table.metrics[at] for at in columns))
    return Grid.of(title, heads, lines, blocks=(line.block for line in rows))


def _columns_with(part: Literal["low", "paper"], table: ResultTable) -> list[int]:
    """Return the indices of the metrics that have this part in some line."""
    return [
        at
        for at in range(len(table.metrics))
        if any(getattr(line.cells[at], part) is not None for line in table.lines)
    ]


def contrasts_grid(title: str, contrasts: Sequence[Contrast]) -> Grid:
    """Return comparisons as a grid."""
    heads = ("", "less", "metric", "difference [95 %]", "p (Holm)", "d_z", "")
    return Grid.of(title, heads, map(_contrast_texts, contrasts))


def mean_text(cell: TableCell) -> str:
    """Format a mean with its spread and star.

    >>> mean_text(TableCell("UAUC", 0.78671, 0.00123, star=True))
    '0.7867 ± 0.0012*'
    """
    if cell.mean is None:
        return NONE
    spread = "" if cell.spread is None else f" ± {cell.spread:.4f}"
    return f"{cell.mean:.4f}{spread}{'*' if cell.star else ''}"


def _interval_text(cell: TableCell) -> str:
    return NONE if cell.low is None else f"{cell.low:.4f} .. {cell.high:.4f}"


def _paper_text(cell: TableCell) -> str:
    """Format the paper's value, with the difference of the measured one.

    >>> _paper_text(TableCell("UAUC", 0.79, paper=0.78))
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


def _contrast_texts(contrast: Contrast) -> tuple[str, ...]:
    of, found = contrast.comparison, contrast.found
    texts = (NONE, NONE, NONE)
    if found is not None:
        gap = f"{found.mean:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
        effect = NONE if found.effect is None else f"{found.effect:+.2f}"
        texts = (gap + "*" * contrast.star, _p_text(contrast.p), effect)
    return (of.one, of.other, of.metric, *texts, contrast.note)


def cells_csv(tables: Iterable[ResultTable]) -> str:
    """Return the raw numbers of tables as CSV, one line per cell; missing ones are empty."""
    lines = (
        (
            *(table.title, table.label, line.block, line.name, cell.metric),
            *(cell.mean, cell.spread, cell.low, cell.high, line.seeds, line.wanted, table.users),
            *(int(cell.star), int(cell.best), cell.paper, cell.over_paper),
        )
        for table in tables
        for line in table.lines
        for cell in line.cells
    )
    return csv_text(_CELLS, lines)


def contrasts_csv(tables: Iterable[ResultTable]) -> str:
    """Return the raw numbers of the tables' comparisons as CSV, one line each."""
    lines = (
        (table.title, table.label, *_contrast_numbers(each))
        for table in tables
        for each in table.contrasts
    )
    return csv_text(_CONTRASTS, lines)


def _contrast_numbers(contrast: Contrast) -> tuple[object, ...]:
    of, found = contrast.comparison, contrast.found
    numbers: tuple[object, ...] = (None,) * 7
    if found is not None:
        effect = (contrast.p, found.effect, found.seeds, found.users)
        numbers = (found.mean, found.low, found.high, *effect)
    return (of.one, of.other, of.metric, *numbers, int(contrast.star), contrast.note)
