(() => {
"use strict";
// Draws the dots and their labels on a canvas, and answers to pointer, search and list. It puts text on the page as text
// only, never as markup, and asks the network for nothing.
const data = JSON.parse(document.getElementById("items").textContent);
const by = id => document.getElementById(id);
const stage = by("stage"), canvas = stage.querySelector("canvas"), pen = canvas.getContext("2d"), tip = by("tip");
const search = by("search"), found = by("found"), list = document.querySelector(".ids");
const cards = new Map([...list.children].map(card => [+card.dataset.row, card]));
const font = 'px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif';
const count = (n, what) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;
const dots = data.x.length, groups = data.groups, night = matchMedia("(prefers-color-scheme: dark)");
const most = data.count.reduce((a, b) => Math.max(a, b), 1);
const wide = data.x.reduce((a, b) => Math.max(a, b), 1), high = data.y.reduce((a, b) => Math.max(a, b), 1);
const lower = data.title.map(title => title.toLowerCase());
const members = groups.map(() => []);
data.group.forEach((group, dot) => members[group].push(dot));
const ranked = groups.map((_, row) => row).filter(row => groups[row].near && groups[row].name)
  .sort((a, b) => groups[b].near - groups[a].near || a - b);
let width = 0, height = 0, zoom = 1, middle = [wide / 2, high / 2];
let hover = -1, chosen = -1, hits = null, printing = false, waiting = false;

const unit = () => zoom * Math.max(1e-6, Math.min((width - 2 * margin()) / wide, (height - 2 * 26) / high));
const margin = () => width < 600 ? 12 : 56;
const toX = (x, s) => (x - middle[0]) * s + width / 2;
const toY = (y, s) => (middle[1] - y) * s + height / 2;
const base = () => Math.max(1.4, Math.min(6, 0.5 * (width * height / (dots + 40)) ** 0.36)) * Math.sqrt(zoom);
const size = dot => 0.72 + 0.75 * Math.sqrt(data.count[dot] / most);

function draw() {
  waiting = false;
  const dark = night.matches && !printing, ink = dark ? "#e6e9ed" : "#1c2128", paper = dark ? "#1c2128" : "#ffffff";
  const ratio = printing ? 2.5 : window.devicePixelRatio || 1;
  if (!printing) { width = canvas.clientWidth; height = canvas.clientHeight; }
  canvas.width = Math.round(width * ratio); canvas.height = Math.round(height * ratio);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  const s = unit(), r = base(), focus = hover >= 0 ? data.group[hover] : chosen;
  const bright = row => hits ? hits.rows.has(row) : focus < 0 || focus === row;
  groups.forEach((group, row) => {
    const faint = !bright(row);
    pen.fillStyle = dark ? group.dark : group.light;
    pen.globalAlpha = faint ? (hover >= 0 && chosen < 0 ? 0.3 : dark ? 0.2 : 0.16) : hits ? 0.35 : 0.85;
    pen.beginPath();
    for (const dot of members[row]) {
      const x = toX(data.x[dot], s), y = toY(data.y[dot], s), d = r * size(dot);
      if (x < -d || y < -d || x > width + d || y > height + d) continue;
      pen.moveTo(x + d, y); pen.arc(x, y, d, 0, 7);
    }
    pen.fill();
  });
  pen.globalAlpha = 1;
  const ring = (dot, grown) => {
    const group = groups[data.group[dot]];
    pen.beginPath(); pen.arc(toX(data.x[dot], s), toY(data.y[dot], s), r * size(dot) + grown, 0, 7);
    pen.fillStyle = dark ? group.dark : group.light; pen.fill();
    pen.lineWidth = 1.6; pen.strokeStyle = ink; pen.stroke();
  };
  if (hits) hits.dots.forEach(dot => ring(dot, 1));
  if (hover >= 0) ring(hover, 1.5);
  write(s, ink, paper, focus);
}

function write(s, ink, paper, focus) {
  const boxes = [], first = hover < 0 && focus >= 0 && groups[focus].near ? [focus] : [];  // the tip says what is pointed at
  const shown = hits ? ranked.filter(row => hits.rows.has(row)) : ranked;
  pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round";
  const top = width < 600 ? 13 : Math.min(19, 13 + width / 300), low = width < 600 ? 10.5 : 12;
  const biggest = ranked.length ? groups[ranked[0]].near : 1;
  for (const row of [...first, ...shown]) {
    const group = groups[row], own = row === first[0];
    if (own && boxes.length) continue;
    if (!own && !hits && (focus >= 0 || group.near * zoom ** 2 < 0.1 * biggest)) continue;
    const points = low + (top - low) * (own ? 1 : Math.sqrt(group.near / biggest));
    pen.font = `${own ? 700 : 600} ${points.toFixed(1)}${font}`;
    const text = group.name || `id ${group.number}`, w = pen.measureText(text).width / 2 + 3, h = points * 0.62;
    let x = toX(group.x, s), y = toY(group.y, s) - (own ? 24 : 0);
    if (!own && (x < 0 || y < 0 || x > width || y > height)) continue;
    x = Math.min(Math.max(x, w + 2), Math.max(width - w - 2, w + 2)); y = Math.min(Math.max(y, h + 2), height - h - 2);
    const gap = width < 600 ? 4 : 9;
    if (zoom < 2 && boxes.some(box => box[4] === text)) continue;
    if (boxes.some(([a, b, c, d]) => Math.abs(a - x) < c + w + gap && Math.abs(b - y) < d + h + gap)) continue;
    boxes.push([x, y, w, h, text]);
    pen.lineWidth = points / 3.6; pen.strokeStyle = paper; pen.globalAlpha = 0.88; pen.strokeText(text, x, y);
    pen.globalAlpha = 1; pen.fillStyle = ink; pen.fillText(text, x, y);
  }
}

function redraw() { if (!waiting) { waiting = true; requestAnimationFrame(draw); } }

function at(event) {
  const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top];
}

function nearest([px, py], reach) {
  const s = unit(); let best = -1, least = reach * reach;
  for (let dot = 0; dot < dots; dot++) {
    if (hits && !hits.dots.has(dot)) continue;
    const dx = toX(data.x[dot], s) - px, dy = toY(data.y[dot], s) - py, d = dx * dx + dy * dy;
    if (d <= least) { least = d; best = dot; }
  }
  return best;
}

function tell(dot, [px, py]) {
  tip.hidden = dot < 0;
  if (dot < 0) return;
  const group = groups[data.group[dot]], kinds = (data.kinds[dot] || []).map(kind => data.labels[kind]).join(" · ");
  const own = `semantic id ${group.number}${group.name ? ": " + group.name : ""}, ${count(group.size, "item")}`;
  const lines = [data.title[dot], own, kinds, `${count(data.count[dot], "time")} in training`].filter(Boolean);
  tip.replaceChildren(...lines.map((text, row) => {
    const part = document.createElement(row ? "span" : "b");
    part.textContent = text;
    return part;
  }));
  const w = tip.offsetWidth, h = tip.offsetHeight;
  tip.style.left = Math.max(2, Math.min(px + 14, width - w - 2)) + "px";
  tip.style.top = (py + 18 + h > height ? Math.max(2, py - h - 12) : py + 18) + "px";
}

function point(event, reach) {
  const before = hover; hover = nearest(at(event), reach); tell(hover, at(event));
  if (before !== hover) redraw();
}

function choose(row) {
  chosen = row; hover = -1; tip.hidden = true; redraw();
}

function magnify(factor, [px, py]) {
  const s = unit(), x = (px - width / 2) / s + middle[0], y = middle[1] - (py - height / 2) / s;
  zoom = Math.min(40, Math.max(1, zoom * factor));
  const t = unit();
  middle = zoom === 1 ? [wide / 2, high / 2] : [x - (px - width / 2) / t, y + (py - height / 2) / t];
  redraw();
}

const fingers = new Map(); let moved = false;
canvas.addEventListener("pointerdown", event => {
  if (event.pointerType === "mouse" && event.button) return;
  fingers.set(event.pointerId, at(event)); moved = false;
});
canvas.addEventListener("pointermove", event => {
  const here = at(event), before = fingers.get(event.pointerId);
  if (!before) { if (event.pointerType === "mouse") point(event, 14); return; }
  const others = [...fingers].filter(([id]) => id !== event.pointerId);
  if (others.length) {
    const [ox, oy] = others[0][1], far = ([x, y]) => Math.hypot(x - ox, y - oy) || 1;
    magnify(far(here) / far(before), [(here[0] + ox) / 2, (here[1] + oy) / 2]); moved = true;
  } else {
    if (!moved && Math.hypot(here[0] - before[0], here[1] - before[1]) < 5) return;
    moved = true; tip.hidden = true; hover = -1;
    try { canvas.setPointerCapture(event.pointerId); } catch { return; }
    const s = unit(); middle = [middle[0] - (here[0] - before[0]) / s, middle[1] + (here[1] - before[1]) / s];
    redraw();
  }
  fingers.set(event.pointerId, here);
});
canvas.addEventListener("pointerup", event => {
  if (fingers.delete(event.pointerId) && !moved) {
    const dot = nearest(at(event), event.pointerType === "mouse" ? 14 : 26), row = dot < 0 ? -1 : data.group[dot];
    choose(event.pointerType === "mouse" && row === chosen ? -1 : row);
    hover = dot; tell(dot, at(event));
  }
});
canvas.addEventListener("pointercancel", event => fingers.delete(event.pointerId));
canvas.addEventListener("pointerleave", event => {
  if (event.pointerType === "mouse") { fingers.clear(); hover = -1; tip.hidden = true; redraw(); }
});
canvas.addEventListener("wheel", event => {
  if (!event.ctrlKey && !event.metaKey && !document.fullscreenElement) return;
  event.preventDefault(); tip.hidden = true; magnify(Math.exp(-event.deltaY / 300), at(event));
}, { passive: false });
canvas.addEventListener("dblclick", event => magnify(2, at(event)));
canvas.addEventListener("keydown", event => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (event.key === "+" || event.key === "=") magnify(1.5, [width / 2, height / 2]);
  else if (event.key === "-") magnify(1 / 1.5, [width / 2, height / 2]);
  else if (step && zoom > 1) { middle = middle.map((value, axis) => value + step[axis] * 60 / unit()); redraw(); }
  else return;
  event.preventDefault();
});
by("nearer").addEventListener("click", () => magnify(1.6, [width / 2, height / 2]));
by("farther").addEventListener("click", () => magnify(1 / 1.6, [width / 2, height / 2]));
by("whole").addEventListener("click", () => { zoom = 1; middle = [wide / 2, high / 2]; search.value = ""; look(); choose(-1); });
by("full").hidden = !stage.requestFullscreen;
by("full").addEventListener("click", () => stage.requestFullscreen());
document.addEventListener("keydown", event => { if (event.key === "Escape") { search.value = ""; look(); choose(-1); } });

function look() {
  const text = search.value.trim().toLowerCase(), number = text.match(/^#?(\d+)$/);
  hits = null; found.textContent = "";
  if (text) {
    const fits = group => (number && group.number === +number[1]) || (text[0] !== "#" && group.name.toLowerCase().includes(text));
    const named = new Set(groups.flatMap((group, row) => fits(group) ? [row] : []));
    const some = new Set();
    for (let dot = 0; dot < dots; dot++) if (named.has(data.group[dot]) || lower[dot].includes(text)) some.add(dot);
    hits = { dots: some, rows: new Set([...named, ...[...some].map(dot => data.group[dot])]) };
    found.textContent = `${count(some.size, "item")} in ${count(hits.rows.size, "semantic id")}`;
  }
  cards.forEach((card, row) => { card.hidden = Boolean(hits) && !hits.rows.has(row); });
  hover = -1; tip.hidden = true; redraw();
}
search.addEventListener("input", look);
by("order").addEventListener("change", event => {
  const key = event.target.value, up = key === "number" ? 1 : -1;
  list.append(...[...cards.values()].sort((a, b) => up * (a.dataset[key] - b.dataset[key]) || a.dataset.row - b.dataset.row));
});
list.addEventListener("click", event => {
  const link = event.target.closest("a");
  if (link) { search.value = ""; look(); choose(+link.closest("[data-row]").dataset.row); }
});
night.addEventListener("change", redraw);
window.addEventListener("resize", redraw);
window.addEventListener("beforeprint", () => { printing = true; hover = -1; draw(); });
window.addEventListener("afterprint", () => { printing = false; redraw(); });
draw();
})();
