"""The style of the map's page, on top of the report's."""

from __future__ import annotations

STYLE = """
body { max-width: 1320px; }
#stage { position: relative; background: var(--card); margin: .2rem 0 .4rem; }
#stage canvas { display: block; width: 100%; height: min(76vh, 60vw); min-height: 420px; touch-action: pan-y; cursor: crosshair; }
#stage canvas:focus-visible { outline: 2px solid var(--s0); outline-offset: 3px; border-radius: 6px; }
#stage:fullscreen { padding: 1rem; }
#stage:fullscreen canvas { height: 100%; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem .8rem; align-items: center; font-size: .92rem; }
.tools input { flex: 1 1 13rem; max-width: 26rem; min-width: 0; }
.tools input, .tools button, .tools select {
  font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--grid); border-radius: 8px;
  padding: .4rem .7rem;
}
.tools button { cursor: pointer; min-width: 2.4rem; }
.tools button:hover { border-color: var(--muted); }
.tools output { color: var(--muted); }
.push { margin-left: auto; display: flex; gap: .4rem; }
#tip {
  position: absolute; z-index: 2; max-width: min(20rem, 80%); padding: .55rem .75rem; pointer-events: none; left: 0; top: 0;
  background: var(--card); border: 1px solid var(--grid); border-radius: 8px; box-shadow: 0 4px 18px rgb(0 0 0 / .18);
  font-size: .86rem; line-height: 1.4;
}
#tip b { display: block; font-weight: 650; }
#tip span { display: block; color: var(--muted); }
#tip[hidden] { display: none; }
.chip {
  display: inline-block; width: .72em; height: .72em; border-radius: 50%; background: var(--light); margin-right: .42em;
}
@media screen and (prefers-color-scheme: dark) { .chip { background: var(--dark); } }
.ids {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15.5rem), 1fr)); gap: 1.1rem 1.6rem; margin-top: 1rem;
}
.ids > div { break-inside: avoid; min-width: 0; border-top: 1px solid var(--grid); padding-top: .55rem; scroll-margin-top: 1rem; }
.ids > div[hidden] { display: none; }
.ids h3 { margin: 0; font-size: .97rem; line-height: 1.35; }
.ids h3 a { color: inherit; text-decoration: none; }
.ids h3 a:hover { text-decoration: underline; }
.ids small { display: block; font-size: .8rem; line-height: 1.45; }
.ids ol { list-style: none; margin: .3rem 0 0; padding: 0; font-size: .86rem; line-height: 1.4; }
.ids li { padding: .12rem 0; display: -webkit-box; -webkit-line-clamp: 2; -webkit-box-orient: vertical; overflow: hidden; }
.thumbs { display: flex; gap: .3rem; margin-top: .4rem; }
.thumbs img { width: 25%; max-width: 88px; aspect-ratio: 1; object-fit: cover; border-radius: 6px; min-width: 0; }
.made { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 1.3fr); gap: .5rem 2.5rem; align-items: start; }
@media screen and (max-width: 860px) { .made { grid-template-columns: 1fr; } }
dd small { display: block; font-size: .84rem; }
dd strong { font-variant-numeric: tabular-nums; }
@media (max-width: 560px) {
  #stage canvas { height: 92vw; min-height: 0; }
  .push { margin-left: 0; }
  .tools output { order: 1; }
  .tools input { max-width: none; flex-basis: 100%; }
}
@media print {
  .tools, .hint, #tip { display: none; }
  dl > div { break-inside: avoid; }
  #stage canvas { height: auto; min-height: 0; }
  .ids { display: block; columns: 3; column-gap: 1.4rem; }
  .ids > div { margin-bottom: .7rem; }
  .ids > div[hidden] { display: block; }
  .ids li { display: block; }
}
"""
