from __future__ import annotations

from solidrec.experiments.tables.result_text import grids
from solidrec.report.material import Material
from solidrec.report.plots import Series
from solidrec.report.tables import _part_markup, _trimmed, grid_markup, result_tables
from solidrec.text_grid import Entry, Grid


def test_every_text_of_every_grid_is_there(of: Material) -> None:
    text = result_tables(of)
    assert f"<h3>1+{of.results.negatives(of.plan)} sampled</h3>" in text
    assert "<h3>full</h3>" in text
    assert text.count("<table") == sum(len(grids(table)) for table in of.tables)


def test_a_spread_goes_below_its_mean_and_the_star_stays_with_it() -> None:
    assert _part_markup(Entry("0.7867 ± 0.0012*")) == "0.7867*<small>± 0.0012</small>"
    assert _part_markup(Entry("0.7867", bold=True)) == '<span class="best">0.7867</span>'


def test_what_comes_from_data_is_escaped_and_a_row_keeps_its_marker() -> None:
    grid = Grid(
        "<b>", ("", "x"), ((Entry("<i>"), Entry("<u>")), (Entry("a"), Entry("1"))), ("<q>", "<q>")
    )
    text = grid_markup(grid, {"a": Series.run("a", 0)})
    for markup in ("<b>", "<i>", "<u>", "<q>"):
        assert markup not in text
    assert "●" in text


def test_a_last_column_that_says_the_same_everywhere_is_left_to_the_notes() -> None:
    same = Grid(
        "t",
        ("", "x", ""),
        ((Entry("a"), Entry("1"), Entry("why")), (Entry("b"), Entry("2"), Entry("why"))),
        ("", ""),
    )
    assert _trimmed(same).heads == ("", "x")
    other = Grid(
        "t",
        ("", "x", ""),
        ((Entry("a"), Entry("1"), Entry("why")), (Entry("b"), Entry("2"), Entry(""))),
        ("", ""),
    )
    assert _trimmed(other) is other
