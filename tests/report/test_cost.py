from __future__ import annotations

from dataclasses import replace

from solidrec.report.cost import cost
from solidrec.report.material import Material
from solidrec.report.page import render


def test_parts_are_drawn_and_listed(of: Material) -> None:
    text = render("section.html", it=cost(of))
    assert text.count("<svg") == 1
    for part in ("items", "backbone", "shared", "trunk", "branch", "metacode", "codebook"):
        assert f"</i> {part}</span>" in text
    total = of.results.records[of.first_seeds()[-1].key]["measures"]["cost"]["parameters"]["total"]
    assert f"{total:,}" in text


def test_an_experiment_that_did_not_measure_it_has_no_such_section(of: Material) -> None:
    assert not cost(replace(of, measures=()))
