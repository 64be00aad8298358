"""What a browser would see of a page."""

from __future__ import annotations

from html.parser import HTMLParser

from solidrec.report.page import _section, page, short, table


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


def test_a_section_has_a_link_and_its_title_is_escaped() -> None:
    text = page("a <b> title", ["<p>lead</p>"], [("one", "One & all", "<p>body</p>")], foot="end")
    found = Page(text)
    assert found.open == []
    assert ("a", {"href": "#one"}) in found.tags
    assert "a &lt;b&gt; title" in text
    assert "One &amp; all" in text


def test_empty_parts_of_a_section_are_left_out() -> None:
    assert (
        _section("a", "A", "", "<p>b</p>", "")
        == '<section id="a">\n<h2>A</h2>\n<p>b</p>\n</section>'
    )


def test_the_first_cell_of_a_row_is_its_heading() -> None:
    found = [tag for tag, _ in Page(table(["", "x"], [["a", "1"], ["b", "2"]])).tags]
    assert found.count("th") == 2 + 2
    assert found.count("td") == 2


def test_a_long_title_loses_its_middle() -> None:
    assert len(Page(short("word " * 40)).tags) == 1
    assert short("word") == "word"
