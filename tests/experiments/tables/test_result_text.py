"""Tables as text: every format holds the same cells, and what is special in a format is escaped."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from solidrec.experiments.tables.measured import Measured
from solidrec.experiments.tables.result_table import Layout, ResultTable
from solidrec.experiments.tables.result_text import (
    _CELLS,
    _CONTRASTS,
    cells_csv,
    contrasts_csv,
    grids,
    mean_text,
)
from solidrec.experiments.tables.tabulate import result_table
from solidrec.text_grid import latex, markdown, rich_table

NASTY = '["a_b"] & 5 % | $x$ <b> \\ {c}, "d" [/red]'
USERS = 30


def row(name: str, backbone: str, model: str, gain: float = 0.0) -> Measured:
    rng = np.random.default_rng([len(name), *name.encode()])
    values = {
        metric: gain + 0.3 + 0.02 * rng.normal(size=(3, USERS)) for metric in ("UAUC", "NDCG@10")
    }
    means = tuple(
        {metric: float(of[seed].mean()) for metric, of in values.items()} for seed in range(3)
    )
    labels = {"model.backbone.name": backbone, "model.name": model}
    return Measured(name, labels, (0, 1, 2), "paper", "d", np.arange(USERS), means, values)


@pytest.fixture(scope="module")
def table() -> ResultTable:
    rows = [
        row("duet", "din", "duet"),
        row(NASTY, "din", "solid-duet", 0.2),
        row("other", "sasrec", "duet"),
    ]
    expected = {each.name: each.labels for each in rows} | {
        "lost": {"model.backbone.name": "sasrec", "model.name": "spg"}
    }
    return result_table(
        rows, Layout("T", metrics=("UAUC", "NDCG@10"), expected=expected, paper=1, data_name="arts")
    )


def cells(table: ResultTable) -> list[str]:
    return [mean_text(cell) for line in table.lines for cell in line.cells]


def test_markdown_has_every_cell_and_every_note(table: ResultTable):
    text = markdown(grids(table), table.notes)
    assert text.startswith(
        "**T (1+99 sampled)**\n\n|  | UAUC | NDCG@10 | UAUC [95 %] | seeds |\n"
        "| --- | ---: | ---: | ---: | ---: |\n"
    )
    for cell in cells(table):
        assert cell.replace("*", r"\*") in text
    assert all(note in text for note in table.notes)
    assert "| *sasrec* |  |  |  |  |" in text
    assert "| lost | - | - | - | 0 of 3 seeds |" in text
    assert "| 0.7647 (" in text  # the paper's DIN with DUET


def test_every_line_of_a_markdown_table_has_as_many_cells_as_its_head(table: ResultTable):
    for block in re.findall(r"(?:^\|.*\n)+", markdown(grids(table), table.notes), re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_the_best_is_bold_and_the_significant_starred(table: ResultTable):
    starred = next(line for line in table.lines if line.name == NASTY).cells[0]
    assert mean_text(starred).endswith("*")
    assert f"**{mean_text(starred)[:-1]}\\***" in markdown(grids(table), table.notes)
    assert rf"\textbf{{{starred.mean:.4f} $\pm$ {starred.spread:.4f}$^{{*}}$}}" in latex(
        grids(table), table.notes
    )


def test_latex_is_a_booktabs_table_with_its_specials_escaped(table: ResultTable):
    text = latex(grids(table), table.notes)
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == len(grids(table)) == 3
    assert r'{[}"a\_b"{]} \& 5 \% | $\$x\$$'.replace(r"$\$x\$$", r"\$x\$") in text
    assert r"\textbackslash{} \{c\}" in text
    assert r"\multicolumn{5}{l}{\emph{sasrec}} \\" in text
    body = text.replace(r"\&", "").replace(r"\%", "")
    assert "%" not in body
    for grid in re.findall(r"\\midrule\n(.*?)\\bottomrule", body, re.DOTALL):
        lines = [
            line
            for line in grid.splitlines()
            if line and not line.startswith((r"\multicolumn", r"\midrule"))
        ]
        assert len({line.count("&") for line in lines}) == 1
        assert not any(line.startswith("[") for line in lines)


def test_latex_compiles_where_there_is_a_compiler(table: ResultTable, tmp_path: Path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is absent")
    document = (
        r"\documentclass{article}\usepackage{booktabs}"
        rf"\begin{{document}}{latex(grids(table), table.notes)}\end{{document}}"
    )
    (tmp_path / "t.tex").write_text(document, encoding="utf-8")
    subprocess.run(
        ["pdflatex", "-halt-on-error", "t.tex"], cwd=tmp_path, check=True, capture_output=True
    )


def test_csv_has_the_raw_numbers_one_line_a_cell(table: ResultTable):
    found = list(csv.DictReader(io.StringIO(cells_csv([table, table]))))
    assert ",".join(found[0]) == _CELLS
    assert len(found) == 2 * 4 * 2
    first, cell = found[2], table.lines[1].cells[0]
    assert (first["row"], first["metric"], first["protocol"]) == (NASTY, "UAUC", "1+99 sampled")
    assert [float(first[key]) for key in ("mean", "sd", "low", "high")] == [
        cell.mean,
        cell.spread,
        cell.low,
        cell.high,
    ]
    assert (first["star"], first["seeds"], first["users"]) == ("1", "3", "30")
    assert float(found[0]["over_paper"]) == table.lines[0].cells[0].mean - 0.7647
    assert (found[6]["row"], found[6]["mean"], found[6]["seeds"], found[6]["seeds_wanted"]) == (
        "lost",
        "",
        "0",
        "3",
    )


def test_csv_of_comparisons(table: ResultTable):
    found = list(csv.DictReader(io.StringIO(contrasts_csv([table]))))
    assert ",".join(found[0]) == _CONTRASTS
    assert [(each["one"], each["other"], each["metric"]) for each in found] == [
        (NASTY, "duet", "UAUC"),
        (NASTY, "duet", "NDCG@10"),
    ]
    assert float(found[0]["p_holm"]) == table.contrasts[0].p


def test_a_difference_without_a_common_seed_is_a_line_too():
    rows = [row("a", "din", "duet"), replace(row("b", "din", "solid-duet"), seeds=(7, 8, 9))]
    found = result_table(rows, Layout("T", metrics=("UAUC",), tested=("UAUC",)))
    assert "| b | a | UAUC | - | - | - | no common seed" in markdown(grids(found), found.notes)
    assert contrasts_csv([found]).splitlines()[1].startswith("T,1+99 sampled,b,a,UAUC,,,,,,,,0,")


def test_a_terminal_shows_names_as_they_are(table: ResultTable):
    console = Console(file=io.StringIO(), width=200)
    for grid in grids(table):
        console.print(rich_table(grid))
    shown = console.file.getvalue()
    assert NASTY in shown
    assert "UAUC [95 %]" in shown
    assert all(cell in shown for cell in cells(table))
