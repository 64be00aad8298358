"""The page of a report: escaping, sections, tables and figures."""

from __future__ import annotations

import html
from collections.abc import Sequence

from solidrec.report.plots import BASELINE_COLORS, COLORS, GRID, INK, MUTED, RUN_COLORS, Series
from solidrec.report.style import PAGE, STYLE

_DARK = {INK: "#e6e9ed", MUTED: "#9ba6b2", GRID: "#343b44"} | dict([*RUN_COLORS, *BASELINE_COLORS])


def escape(value: object) -> str:
    """Return any value as text that cannot become markup.

    >>> escape("<b>Tom & Jerry</b>")
    '&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;'
    """
    return html.escape(str(value))


def short(title: str, width: int = 90) -> str:
    """Return a title as markup; a long one loses its middle, since variants differ at the end.

    Hovering over a shortened title shows all of it.

    >>> short("A <b>"), short("red paint, one litre, gloss", width=18)
    ('A &lt;b&gt;', '<span title="red paint, one litre, gloss">red paint, … gloss</span>')
    """
    if len(title) <= width:
        return escape(title)
    head, tail = title[: 2 * width // 3], title[-width // 3 :]
    head, tail = head.rpartition(" ")[0] or head, tail.partition(" ")[2] or tail
    return f'<span title="{escape(title)}">{escape(head)} … {escape(tail)}</span>'


def listing(titles: Sequence[str], *, rest: int) -> str:
    """Return titles as a list, and how many more there are."""
    listed = "".join(f"<li>{short(title)}</li>" for title in titles)
    more = f'<li class="muted">and {rest:,} more</li>' if rest > 0 else ""
    return f"<ul>{listed}{more}</ul>"


def tag(series: Series) -> str:
    """Return the marker of a series in its colour, and its label."""
    color = f"var(--{COLORS[series.color]})"
    glyph = f'<i style="color:{color}" aria-hidden="true">{series.glyph}</i>'
    return f'<span class="tag">{glyph} {escape(series.label)}</span>'


def _section(name: str, title: str, *parts: str) -> str:
    """Return a section under a heading; empty parts are left out."""
    body = "\n".join(part for part in parts if part)
    return f'<section id="{escape(name)}">\n<h2>{escape(title)}</h2>\n{body}\n</section>'


def heading(text: str) -> str:
    """Return a heading inside a section, empty without text."""
    return f"<h3>{escape(text)}</h3>" if text else ""


def paragraph(text: str, *, kind: str = "") -> str:
    """Return a paragraph of text that is already markup."""
    return f'<p class="{kind}">{text}</p>' if kind else f"<p>{text}</p>"


def figures(*drawn: tuple[str, str]) -> str:
    """Return (caption, svg) pairs side by side, or below one another on a narrow page."""
    parts = [
        f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>"
        for caption, svg in drawn
    ]
    return f'<div class="figures">{"".join(parts)}</div>'


def legend(series: Sequence[Series]) -> str:
    """Return the markers and labels of the series in a chart."""
    return f'<p class="legend">{" ".join(tag(one) for one in series)}</p>'


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "", kind: str = "numbers"
) -> str:
    """Return a table that scrolls sideways; cells are markup, the first of a row is its heading."""
    above = f'<div class="caption">{escape(caption)}</div>' if caption else ""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>\n'
        for first, *rest in rows
    )
    inner = f'<table class="{kind}"><thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table>'
    return (
        f'{above}<div class="scroll" tabindex="0" role="region" '
        f'aria-label="{escape(caption or "table")}">{inner}</div>'
    )


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Return a list of (name, value) pairs, which are both markup."""
    return (
        "<dl>"
        + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>\n" for name, value in rows)
        + "</dl>"
    )


def page(
    title: str,
    lead: Sequence[str],
    sections: Sequence[tuple[str, str, str]],
    foot: str,
    *,
    head: str = "",
    end: str = "",
) -> str:
    """Return the whole document: `lead` paragraphs, then sections of (name, title, markup).

    `head` and `end` are markup at the end of the document's head and of its body.
    """
    links = " ".join(
        f'<a href="#{escape(name)}">{escape(above)}</a>' for name, above, _ in sections
    )
    return PAGE.substitute(
        title=escape(title),
        style=STYLE.substitute(
            light=_tones(dict(zip(COLORS, COLORS, strict=True))), dark=_tones(_DARK)
        ),
        lead="\n".join(lead),
        links=links,
        sections="\n".join(_section(*section) for section in sections),
        foot=foot,
        head=head,
        end=end,
    )


def _tones(shown: dict[str, str]) -> str:
    """Return the style sheet's declarations of the chart colours."""
    return " ".join(f"--{name}: {shown[tone]};" for tone, name in COLORS.items())
