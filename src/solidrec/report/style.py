"""The frame of the page and its style sheet: readable by day, by night, on a phone and on paper."""

from __future__ import annotations

from string import Template

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>$style</style>$head
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
<footer>$foot</footer>$end
</body>
</html>
""")

STYLE = Template("""
:root { color-scheme: light; --paper: #f6f7f9; --card: #fff; --tint: #eaf3fa; --hit: #fff3c4; $light }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #14181d; --card: #1c2128; --tint: #1d2b38; --hit: #4a3d10; $dark }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1120px; padding: 1.6rem clamp(.8rem, 3vw, 2rem) 3rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  overflow-wrap: break-word;
}
h1 { font-size: 1.05rem; font-weight: 600; color: var(--muted); margin: 0 0 .6rem; }
h2 { font-size: 1.2rem; margin: 0 0 .7rem; }
h3 { font-size: 1rem; margin: .4rem 0; }
:is(p, .scroll, .figures) + h3 { margin-top: 1.6rem; }
p { margin: .5rem 0; max-width: 78ch; }
a { color: var(--s0); text-underline-offset: .2em; }
code { font: .88em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
.headline { font-size: clamp(1.25rem, 3.4vw, 1.7rem); line-height: 1.3; font-weight: 650; margin: 0 0 .8rem; max-width: 48ch; }
.muted, .weak, figcaption, .caption, footer, small { color: var(--muted); }
.note { border-left: 3px solid var(--s1); padding-left: .8rem; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 1.1rem 0 0; font-size: .9rem; }
footer { font-size: .85rem; }
section {
  background: var(--card); border: 1px solid var(--grid); border-radius: 10px; margin: 1.2rem 0;
  padding: 1.1rem clamp(.8rem, 2.5vw, 1.5rem) 1.3rem;
}

.figures, .groups {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); gap: 1rem 1.6rem; margin: .8rem 0;
}
figure { margin: 0; max-width: 440px; break-inside: avoid; }
figcaption, .caption { font-size: .86rem; padding-bottom: .35rem; }
.caption { margin-top: 1rem; }
figure:only-child { max-width: 345px; }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit !important; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.3rem; font-size: .92rem; }
.tag { white-space: nowrap; }
.tag i { font-style: normal; display: inline-block; width: 1.05em; text-align: center; }

.scroll { overflow-x: auto; margin: 0 0 .8rem; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: .42rem .5rem; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; }
tr > :first-child { padding-left: 0; }
tr > :last-child { padding-right: .1rem; }
thead th { color: var(--muted); font-weight: 600; white-space: nowrap; vertical-align: bottom; }
tbody th { font-weight: 500; background: var(--card); position: sticky; left: 0; }
tbody tr:last-child > * { border-bottom: 0; }
.numbers td, .numbers thead th:not(:first-child) { text-align: right; white-space: nowrap; }
td small { display: block; font-size: .78rem; }
.best { font-weight: 750; }
.words { display: inline-block; max-width: 17rem; white-space: normal; text-align: left; }
.small { font-size: .86rem; }
details { margin: .8rem 0; }
summary { cursor: pointer; color: var(--s0); }
.lists { table-layout: fixed; min-width: 34rem; line-height: 1.4; }
.lists tr > :first-child { width: 1.8rem; color: var(--muted); }
.hit { background: var(--hit); border-radius: 4px; padding: .05rem .3rem; margin-left: -.3rem; box-decoration-break: clone; }

.groups > div { break-inside: avoid; }
.groups ul { margin: .3rem 0 0; padding-left: 1.1rem; font-size: .92rem; line-height: 1.45; }
.sample + .sample { margin: 1.2rem 0 0; padding-top: 1.2rem; border-top: 1px solid var(--grid); }
.history { display: flex; flex-wrap: wrap; gap: .35rem; padding: 0; margin: .4rem 0; list-style: none; font-size: .88rem; }
.history li { background: var(--tint); border-radius: 6px; padding: .12rem .55rem; }
.history li:not(:last-child)::after { content: "→"; color: var(--muted); margin-left: .55rem; }

dl { margin: 0; font-size: .93rem; }
dl > div {
  display: grid; grid-template-columns: 11rem 1fr; gap: .2rem 1rem; padding: .38rem 0; border-bottom: 1px solid var(--grid);
}
dl > div:last-child { border-bottom: 0; }
dt { color: var(--muted); }
dd { margin: 0; min-width: 0; }

@media (max-width: 560px) {
  dl > div { grid-template-columns: 1fr; }
}
@media print {
  :root { font-size: 11px; }
  body { max-width: none; padding: 0; background: #fff; font-size: 1rem; }
  nav { display: none; }
  details:not([open])::after { content: " (unfold it on the screen to print it)"; color: var(--muted); }
  section { border: 0; padding: 0; margin: 1.2rem 0; }
  .scroll { overflow: visible; }
  tr, .sample { break-inside: avoid; }
  h2, h3, .caption, .legend, summary { break-after: avoid; }
  .figures { grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); }
  * { print-color-adjust: exact; }
}
""")
