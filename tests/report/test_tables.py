from __future__ import annotations

from solidrec.experiments.tables.result_text import grids
from solidrec.report.material import Material
from solidrec.report.page import render
from solidrec.report.plots import Series
from solidrec.report.section import Section, Tables
from solidrec.report.tables import _trimmed, few_events, result_tables
from solidrec.text_grid import Entry, Grid


def shown(grid: Grid, **more: Series) -> str:
    """A grid as the page shows it."""
    return render("section.html", it=Section(tables=[Tables([grid], looks=more)]))


def test_every_text_of_every_grid_is_there(of: Material) -> None:
    text = render("section.html", it=result_tables(of))
    assert f"<h3>1+{of.results.negatives(of.plan)} sampled</h3>" in text
    assert "<h3>full</h3>" in text
    assert text.count("<table") == sum(len(grids(table)) for table in of.tables)
    (measured,) = few_events(of).tables
    assert "by events known" in measured.grids[0].title


def test_a_spread_goes_below_its_mean_and_the_star_stays_with_it() -> None:
    line = ("a", "0.7867 ± 0.0012*", Entry("0.7867", bold=True), "a sentence " * 4)
    text = shown(Grid.of("t", ("", "x", "y", "z"), [line]))
    assert "<td>0.7867*<small>± 0.0012</small></td>" in text
    assert '<td><span class="best">0.7867</span></td>' in text
    assert '<td><span class="words">a sentence a' in text


def test_what_comes_from_data_is_escaped_and_a_row_keeps_its_marker() -> None:
    grid = Grid.of("<b>", ("", "x"), [("<i>", "<u>"), ("a", "1")], blocks=("<q>", "<q>"))
    text = shown(grid, a=Series.run("a", 0))
    for markup in ("<b>", "<i>", "<u>", "<q>"):
        assert markup not in text
    assert "●" in text


def test_a_last_column_that_says_the_same_everywhere_is_left_to_the_notes() -> None:
    same = Grid.of("t", ("", "x", ""), [("a", "1", "why"), ("b", "2", "why")])
    assert _trimmed(same).heads == ("", "x")
    other = Grid.of("t", ("", "x", ""), [("a", "1", "why"), ("b", "2", "")])
    assert _trimmed(other) is other
