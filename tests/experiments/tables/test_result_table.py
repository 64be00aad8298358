"""Cells and lines of a table: beside the paper, and with seeds that are missing."""

from __future__ import annotations

import pytest

from solidrec.experiments.tables.result_table import TableCell, TableLine, protocol_label


def test_a_cell_is_compared_with_the_paper_where_both_have_a_number() -> None:
    assert TableCell("UAUC", mean=0.78, paper=0.75).over_paper == pytest.approx(0.03)
    assert TableCell("UAUC", mean=0.78).over_paper is None
    assert TableCell("UAUC", paper=0.75).over_paper is None


@pytest.mark.parametrize(
    ("seeds", "wanted", "text"),
    [(3, 3, "3"), (2, 3, "2 of 3 seeds"), (0, 3, "0 of 3 seeds"), (1, 0, "none needed")],
)
def test_a_line_says_how_many_seeds_it_has(seeds: int, wanted: int, text: str) -> None:
    assert TableLine("duet", "sasrec", (), seeds, wanted).seeds_text == text


def test_a_protocol_says_what_a_target_is_ranked_among() -> None:
    assert protocol_label("paper", 29) == "1+29 sampled"
    assert protocol_label("full", 29) == "full"
