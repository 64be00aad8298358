"""The page itself: escaping, tables, figures, and the style sheet that makes it readable by day, by night and on paper."""

from __future__ import annotations

import html
from collections.abc import Sequence
from string import Template

from solidrec.experiments.plots import BASELINE_COLORS, COLORS, GRID, INK, MUTED, RUN_COLORS, Series

DARK = {INK: "#e6e9ed", MUTED: "#9ba6b2", GRID: "#343b44"} | dict([*RUN_COLORS, *BASELINE_COLORS])


def escape(value: object) -> str:
    """Return any value as text that cannot become markup.

    >>> escape("<b>Tom & Jerry</b>")
    '&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;'
    """
    return html.escape(str(value))


def variable(series: Series) -> str:
    """Return the style sheet's name of a series' colour."""
    return f"var(--{COLORS[series.color]})"


def tag(series: Series) -> str:
    """Return the marker of a series in its colour, and its label."""
    return f'<span class="tag"><i style="color:{variable(series)}" aria-hidden="true">{series.glyph}</i> {escape(series.label)}</span>'


def section(name: str, title: str, *parts: str) -> str:
    """Return a section under a heading; empty parts are left out."""
    body = "\n".join(part for part in parts if part)
    return f'<section id="{escape(name)}">\n<h2>{escape(title)}</h2>\n{body}\n</section>'


def paragraph(text: str, *, kind: str = "") -> str:
    """Return a paragraph of text that is already markup."""
    return f'<p class="{kind}">{text}</p>' if kind else f"<p>{text}</p>"


def figures(*drawn: tuple[str, str]) -> str:
    """Return (caption, svg) pairs side by side, or below one another where the page is narrow."""
    parts = [f"<figure><figcaption>{escape(caption)}</figcaption>{svg}</figure>" for caption, svg in drawn]
    return f'<div class="figures">{"".join(parts)}</div>'


def legend(series: Sequence[Series]) -> str:
    """Return who is who in the charts."""
    return f'<p class="legend">{" ".join(tag(one) for one in series)}</p>'


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str = "", kind: str = "numbers") -> str:
    """Return a table that scrolls sideways by itself; cells are markup, the first of a row is its heading."""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    top = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>\n' for first, *rest in rows
    )
    return f'<div class="scroll"><table class="{kind}">{title}<thead><tr>{top}</tr></thead><tbody>\n{body}</tbody></table></div>'


def facts(rows: Sequence[tuple[str, str]]) -> str:
    """Return names and what they are; both are markup."""
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>\n" for name, value in rows) + "</dl>"


def page(title: str, lead: Sequence[str], sections: Sequence[tuple[str, str, str]], foot: str) -> str:
    """Return the whole document: `lead` paragraphs under the title, then (name, title, markup) sections."""
    links = " ".join(f'<a href="#{escape(name)}">{escape(heading)}</a>' for name, heading, _ in sections)
    return PAGE.substitute(
        title=escape(title),
        style=STYLE.substitute(light=tones(dict(zip(COLORS, COLORS, strict=True))), dark=tones(DARK)),
        lead="\n".join(lead),
        links=links,
        sections="\n".join(section(name, heading, body) for name, heading, body in sections),
        foot=foot,
    )


def tones(shown: dict[str, str]) -> str:
    """Return the style sheet's declarations of the chart colours."""
    return " ".join(f"--{name}: {shown[tone]};" for tone, name in COLORS.items())


PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header>
<h1>$title</h1>
$lead
<nav>$links</nav>
</header>
<main>
$sections
</main>
<footer>$foot</footer>
</body>
</html>
""")

STYLE = Template("""
:root { color-scheme: light; --paper: #f6f7f9; --card: #fff; --tint: #eaf3fa; --hit: #fff3c4; $light }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #14181d; --card: #1c2128; --tint: #1d2b38; --hit: #4a3d10; $dark }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1120px; padding: 1.6rem clamp(.8rem, 3vw, 2rem) 3rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  overflow-wrap: break-word; }
h1 { font-size: 1.05rem; font-weight: 600; color: var(--muted); margin: 0 0 .6rem; }
h2 { font-size: 1.2rem; margin: 0 0 .7rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
p { margin: .5rem 0; max-width: 78ch; }
.headline { font-size: clamp(1.25rem, 3.4vw, 1.75rem); line-height: 1.3; font-weight: 650; margin: 0 0 .8rem; max-width: 46ch; }
.muted, figcaption, caption, footer, small, nav { color: var(--muted); }
.note { border-left: 3px solid var(--s1); padding-left: .8rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 1.1rem 0 0; font-size: .9rem; }
a { color: var(--s0); text-underline-offset: .2em; }
section { background: var(--card); border: 1px solid var(--grid); border-radius: 10px; margin: 1.2rem 0; padding: 1.1rem clamp(.8rem, 2.5vw, 1.5rem) 1.3rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); gap: 1rem 1.6rem; margin: .8rem 0; }
figure { margin: 0; max-width: 480px; break-inside: avoid; }
figcaption, caption { font-size: .86rem; text-align: left; padding-bottom: .35rem; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit !important; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; font-size: .92rem; }
.tag { white-space: nowrap; } .tag i { font-style: normal; display: inline-block; width: 1.05em; text-align: center; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: .42rem .7rem; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; }
thead th { color: var(--muted); font-weight: 600; white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 500; background: var(--card); position: sticky; left: 0; }
tbody tr:last-child > * { border-bottom: 0; }
.numbers td, .numbers thead th:not(:first-child) { text-align: right; white-space: nowrap; }
td small { display: block; font-size: .78rem; }
.best { font-weight: 750; } .weak { color: var(--muted); }
.lists td { min-width: 11rem; line-height: 1.4; } .lists tbody th { color: var(--muted); text-align: right; width: 2.2rem; }
.hit { background: var(--hit); border-radius: 4px; padding: .05rem .3rem; margin-left: -.3rem; box-decoration-break: clone; }
.groups { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); gap: 1rem 1.6rem; }
.groups h3 { margin-top: .4rem; } .groups ul { margin: .3rem 0 0; padding-left: 1.1rem; font-size: .92rem; line-height: 1.45; }
.groups > div { break-inside: avoid; }
.sample { margin: 1.5rem 0 0; padding-top: 1.2rem; border-top: 1px solid var(--grid); } .sample:first-of-type { border-top: 0; padding-top: 0; }
.history { display: flex; flex-wrap: wrap; gap: .35rem; padding: 0; margin: .4rem 0; list-style: none; font-size: .88rem; }
.history li { background: var(--tint); border-radius: 6px; padding: .12rem .55rem; }
.history li:not(:last-child)::after { content: "→"; color: var(--muted); margin-left: .55rem; }
dl { margin: 0; font-size: .93rem; }
dl > div { display: grid; grid-template-columns: minmax(7.5rem, 12rem) 1fr; gap: .2rem 1rem; padding: .38rem 0; border-bottom: 1px solid var(--grid); }
dl > div:last-child { border-bottom: 0; }
dt { color: var(--muted); } dd { margin: 0; min-width: 0; }
code { font: .88em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
footer { font-size: .85rem; }
@media (max-width: 560px) {
  dl > div { grid-template-columns: 1fr; } th, td { padding: .4rem .5rem; } .lists td { min-width: 9.5rem; }
}
@media print {
  body { max-width: none; padding: 0; background: #fff; font-size: 11px; } nav { display: none; }
  section { border: 0; padding: 0; margin: 1.2rem 0; } .scroll { overflow: visible; } tr, .sample { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; } * { print-color-adjust: exact; }
}
""")
