"""What a browser would see of a page."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from jinja2 import UndefinedError

from solidrec.report.page import render, shortened
from solidrec.report.plots import COLORS
from solidrec.report.section import Card, Charts, Section, Tables
from solidrec.text_grid import Grid

EVIL = '"><script>alert(1)</script>'


class Page(HTMLParser):
    """The tags that a browser would see, with their attributes, and whether each is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(section: Section, **more: object) -> str:
    """A page of one section."""
    frame = {"title": "a <b> title", "headline": "", "lead": [], "notes": []}
    return render("page.html", **frame | more, sections=[("one", "One & all", section)])


def test_a_section_has_a_link_and_its_title_is_escaped() -> None:
    text = page(Section("a body"), lead=["said", ""], notes=["", "noted"])
    found = Page(text)
    assert found.open == []
    assert ("a", {"href": "#one"}) in found.tags
    assert "a &lt;b&gt; title" in text
    assert "One &amp; all" in text
    assert "<p>a body</p>" in text
    assert text.count('<p class="muted">') == text.count('<p class="note">') == 1


def test_the_style_sheet_has_the_tones_by_day_and_by_night() -> None:
    text = page(Section("a body"))
    day, night = text.split("@media screen and (prefers-color-scheme: dark)")
    for light, name in COLORS.items():
        assert f"--{name}: {light};" in day
        assert f"--{name}: #" in night


def test_whatever_is_in_a_text_it_stays_a_text() -> None:
    grid = Grid.of(EVIL, ("", EVIL), [(EVIL, EVIL * 2)], blocks=[EVIL])
    section = Section(
        EVIL,
        [Charts([(EVIL, EVIL)], EVIL)],
        EVIL,
        [Tables([grid], [EVIL], EVIL)],
        [(EVIL, [Card(EVIL, EVIL, [EVIL, EVIL * 5], 2)])],
        [EVIL],
    )
    text = page(section, title=EVIL, headline=EVIL, lead=[EVIL], notes=[EVIL])
    found = Page(text)
    assert found.open == []
    assert "script" not in [tag for tag, _ in found.tags]
    assert ("span", {"title": EVIL * 5}) in found.tags


def test_a_value_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="headline"):
        render("page.html", title="t", lead=[], notes=[], sections=[])


def test_the_first_cell_of_a_row_is_its_heading() -> None:
    grid = Grid.of("t", ("", "x"), [("a", "1"), ("b", "2")])
    found = [tag for tag, _ in Page(page(Section(tables=[Tables([grid])]))).tags]
    assert found.count("th") == 2 + 2
    assert found.count("td") == 2


def test_text_in_backticks_is_code_and_an_odd_one_is_itself() -> None:
    text = page(Section(notes=["say `a < b`, not `c"]))
    assert '<p class="muted small">say <code>a &lt; b</code>, not `c</p>' in text


def test_a_long_title_loses_its_middle() -> None:
    assert len(shortened("word " * 40)) < 95
    assert shortened("word") == "word"
