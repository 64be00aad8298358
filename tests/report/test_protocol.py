from __future__ import annotations

from solidrec.report.material import Material
from solidrec.report.page import render
from solidrec.report.protocol import protocol


def test_the_protocol_is_that_of_the_records(of: Material) -> None:
    text = render("sections/protocol.html", it=protocol(of))
    negatives = of.results.negatives(of.plan)
    for words in (
        f"1+{negatives} sampled) among {negatives} items that its user never touched",
        "90 test users",
        "the epoch with the best UAUC on validation",
        "2: 0, 1",
    ):
        assert words in text
    assert "at most 2 epochs a stage" in text
