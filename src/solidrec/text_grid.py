"""A grid of text as Markdown and LaTeX and for a terminal, and raw numbers as CSV.

One grid gives all forms with their escapes, group rows and bold entries, which tabulate has not.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self, final

from rich.table import Table
from rich.text import Text

NONE = "-"
_LATEX = str.maketrans(
    {mark: f"\\{mark}" for mark in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"±": r"$\pm$", "·": r"$\cdot$", "λ": r"$\lambda$", "×": r"$\times$", "*": r"$^{*}$"}
    | {"<": r"$<$", ">": r"$>$", "−": "--", "–": "--", "`": ""}
    | {"[": "{[}", "]": "{]}"}  # LaTeX reads a bracket after a line end as a length
)
_MARKDOWN = str.maketrans({"<": "&lt;", "\n": " "} | {mark: f"\\{mark}" for mark in r"\|*_"})


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

    @classmethod
    def of(
        cls,
        title: str,
        heads: Iterable[str],
        lines: Iterable[Iterable[str | Entry]],
        *,
        blocks: Iterable[str] = (),
    ) -> Self:
        """Return a grid of plain texts and entries, without blocks by default."""
        parts = tuple(
            tuple(Entry(part) if isinstance(part, str) else part for part in line) for line in lines
        )
        return cls(title, tuple(heads), parts, tuple(blocks) or ("",) * len(parts))

    def by_block(self) -> Iterator[tuple[str | None, tuple[Entry, ...]]]:
        """Yield the lines, each with its block where one begins, else None."""
        before = ""
        for block, line in zip(self.blocks, self.lines, strict=True):
            yield (block if block != before else None), line
            before = block


def markdown(grids: Sequence[Grid], notes: Sequence[str] = ()) -> str:
    """Return grids, and notes below them, as Markdown."""
    return "\n\n".join([*map(_grid_markdown, grids), *notes]) + "\n"


def _grid_markdown(grid: Grid) -> str:
    """Return a grid as a Markdown table below its title; a block begins with its own line."""
    rest = len(grid.heads) - 1
    lines = [grid.heads, ("---", *["---:"] * rest)]
    for block, line in grid.by_block():
        if block is not None:
            lines.append((f"*{block.translate(_MARKDOWN)}*", *[""] * rest))
        lines.append(_texts(line, _MARKDOWN, "**{}**"))
    return "\n".join(
        [f"**{grid.title.translate(_MARKDOWN)}**", "", *(f"| {' | '.join(of)} |" for of in lines)]
    )


def latex(grids: Sequence[Grid], notes: Sequence[str] = ()) -> str:
    """Return grids as LaTeX (booktabs), the notes below the first grid."""
    return "\n".join(_grid_latex(grid, () if at else notes) for at, grid in enumerate(grids))


def _grid_latex(grid: Grid, notes: Sequence[str]) -> str:
    """Return a grid as a LaTeX table."""
    lines: list[str] = []
    for block, line in grid.by_block():
        if block is not None:
            lines += [r"\midrule"] if lines else []
            name = block.translate(_LATEX)
            lines.append(rf"\multicolumn{{{len(grid.heads)}}}{{l}}{{\emph{{{name}}}}} \\")
        lines.append(" & ".join(_texts(line, _LATEX, r"\textbf{{{}}}")) + r" \\")
    under = " ".join(notes).translate(_LATEX)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{grid.title.translate(_LATEX)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(grid.heads) - 1)}}}",
            r"\toprule",
            " & ".join(head.translate(_LATEX) for head in grid.heads) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            *([rf"\par\medskip{{\footnotesize {under}\par}}"] if notes else []),
            r"\end{table}",
            "",
        ]
    )


def rich_table(grid: Grid) -> Table:
    """Return a grid as a table for a terminal."""
    table = Table(title=Text(grid.title), title_justify="left")
    for index, head in enumerate(grid.heads):
        table.add_column(Text(head), justify="left" if index == 0 else "right", no_wrap=index == 0)
    for block, line in grid.by_block():
        if block is not None:
            table.add_section()
            table.add_row(Text(block, style="italic"))
        table.add_row(*(Text(part.text, style="bold" if part.bold else "") for part in line))
    return table


def csv_text(heads: str, lines: Iterable[Sequence[object]]) -> str:
    """Return lines below a line of heads as CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return f"{heads}\n{out.getvalue()}"


def _texts(line: Iterable[Entry], marks: dict[int, str], bold: str) -> tuple[str, ...]:
    """Return texts with the special characters of a format replaced, bold ones in their marks."""
    texts = ((part.text.translate(marks), part.bold) for part in line)
    return tuple(bold.format(text) if is_bold else text for text, is_bold in texts)
