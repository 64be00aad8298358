from __future__ import annotations

import pytest

from solidrec.report.section import Charts, Section, Tables


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        (Section(), False),
        (Section("words", how="how", notes=["note"]), False),
        (Section(charts=[Charts([])]), True),
        (Section(tables=[Tables([])]), True),
    ],
)
def test_words_alone_are_no_section(section: Section, shown: bool) -> None:
    assert bool(section) == shown
