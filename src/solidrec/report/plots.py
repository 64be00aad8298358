"""Charts as inline SVG: deterministic, without a global figure, coloured by the style sheet."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from markupsafe import Markup

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

# (tone on a light page, on a dark page), distinct for any colour vision (after Okabe and Ito)
RUN_COLORS = (
    ("#0072b2", "#56b4e9"),
    ("#d55e00", "#ff9248"),
    ("#00856a", "#2fcfa4"),
    ("#a3478b", "#e5a3cc"),
    ("#7a5c00", "#e6c04c"),
    ("#3d4db7", "#9aa8ff"),
    ("#a8123e", "#ff8fa3"),
)
BASELINE_COLORS = (("#6b7480", "#9aa4b0"), ("#8a939e", "#7d8894"))
INK, MUTED, GRID = "#1c2128", "#57606a", "#dfe3e8"
COLORS = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    **{light: f"s{n}" for n, (light, _) in enumerate(RUN_COLORS)},
    **{light: f"b{n}" for n, (light, _) in enumerate(BASELINE_COLORS)},
}
"""The tones that are drawn, and the style sheet variables that replace them on the page."""
_MARKERS = (("o", "●"), ("s", "■"), ("D", "◆"), ("^", "▲"), ("v", "▼"), ("P", "✚"), ("X", "✖"))
_HOLLOW = (("o", "○"), ("s", "□"))
_WIDTH = 3.6  # inches at 72 points: as many CSS pixels as a phone is wide
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.parse_math": False,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "svg.fonttype": "none",
    "lines.linewidth": 1.6,
}


@final
@dataclass(frozen=True)
class Series:
    """The look of one row in every chart: its tone, and its marker for matplotlib and as text."""

    label: str
    color: str
    marker: str
    glyph: str
    hollow: bool

    @classmethod
    def run(cls, label: str, number: int) -> Series:
        """Return the look of run `number` (from 0): a colour and a filled marker."""
        color, _ = RUN_COLORS[number % len(RUN_COLORS)]
        return cls(label, color, *_MARKERS[number % len(_MARKERS)], hollow=False)

    @classmethod
    def baseline(cls, label: str, number: int) -> Series:
        """Return the look of baseline `number` (from 0): grey and hollow."""
        color, _ = BASELINE_COLORS[number % len(BASELINE_COLORS)]
        return cls(label, color, *_HOLLOW[number % len(_HOLLOW)], hollow=True)


@final
@dataclass(frozen=True)
class Curve:
    """A curve through ``x`` and ``y``, or ``points`` alone; ``chosen`` is the index to mark."""

    series: Series
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False
    points: bool = False
    chosen: int | None = None
    thin: bool = False


def line_chart(
    lines: Sequence[Curve],
    *,
    label: str,
    x_label: str = "epoch",
    share: bool = False,
    counts: bool = False,
    limit: tuple[float, str] | None = None,
) -> str:
    """Draw curves over epochs.

    The vertical axis runs from 0 to 100% with `share`, and over whole numbers from 0 with `counts`.
    `limit` is a named level.
    """

    def paint(axes: Axes) -> None:
        for line in lines:
            _draw(axes, line)
        axes.set_xlabel(x_label)
        axes.xaxis.set_major_locator(few_ticks(integer=True))
        axes.yaxis.set_major_locator(few_ticks(integer=counts))
        # A single epoch needs an axis of some width.
        if len({x for line in lines for x in line.x}) == 1:
            axes.set_xlim(lines[0].x[0] - 1, lines[0].x[0] + 1)
        if counts:
            axes.set_ylim(-0.03 * (top := max(axes.get_ylim()[1], 1)), 1.04 * top)
        if share:
            axes.set_ylim(-0.04, 1.06)
            axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        if limit is not None:
            axes.axhline(limit[0], color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
            style = {"ha": "right", "color": MUTED, "fontsize": 8}
            write(axes, limit[1], (1, limit[0]), by=(0, 3), aside=True, **style)
            axes.set_ylim(0, max(axes.get_ylim()[1], 1.12 * limit[0]))

    return drawing(paint, height=2.3, label=label)


def _draw(axes: Axes, line: Curve) -> None:
    """Draw one curve, and the marker of its chosen place."""
    color = line.series.color
    if line.points or len(line.x) == 1:
        axes.plot(line.x, line.y, "o", color=color, markersize=3.2)
    else:
        style = (0, (4, 1.6)) if line.dashed else "solid"
        width = 0.9 if line.thin else 1.6
        axes.plot(line.x, line.y, color=color, linestyle=style, linewidth=width)
    if line.chosen is not None:
        x, y = [line.x[line.chosen]], [line.y[line.chosen]]
        look: dict[str, Any] = {"marker": line.series.marker, "color": color, "linestyle": "none"}
        axes.plot(x, y, markersize=4 if line.thin else 7, **look)


def histogram(
    values: Sequence[int], *, label: str, x_label: str, y_label: str, bins: int = 24
) -> str:
    """Draw how often whole numbers fall into bins of whole width."""
    # whole width of a bin (rounded up), and edges between whole numbers up to the largest value
    width = max(1, -(-(max(values) - min(values) + 1) // bins))
    edges = [
        min(values) - 0.5 + width * n
        for n in range(bins + 1)
        if min(values) + width * (n - 1) <= max(values)
    ]

    def paint(axes: Axes) -> None:
        axes.hist(values, bins=edges, color=RUN_COLORS[0][0], rwidth=0.88)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        axes.grid(False, axis="x")
        axes.xaxis.set_major_locator(few_ticks(integer=True))
        axes.yaxis.set_major_locator(few_ticks(integer=True))

    return drawing(paint, height=2.1, label=label)


def few_ticks(*, integer: bool = False, most: int = 6) -> MaxNLocator:
    """Return a locator of a few round tick values."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=most, integer=integer, steps=[1, 2, 2.5, 5, 10])


def value_after(axes: Axes, text: str, place: tuple[float, float], *, size: float) -> None:
    """Write a value behind the end of a horizontal bar, given as (x, y)."""
    write(axes, text, place, by=(3, 0), va="center", fontsize=size)


def write(
    axes: Axes,
    text: str,
    place: tuple[float, float],
    *,
    by: tuple[float, float],
    aside: bool = False,
    **style: Any,
) -> None:
    """Write a text `by` points beside a place; `aside` gives its x as a share of the width."""
    where = ("axes fraction", "data") if aside else "data"
    axes.annotate(text, place, by, xycoords=where, textcoords="offset points", **style)


def drawing(paint: Callable[[Axes], None], *, height: float, label: str) -> Markup:
    """Let `paint` fill one pair of axes and return them as an ``<svg>`` element.

    `label` names the chart and must be unique on a page.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a user's own matplotlibrc must not change the report
        # The salt fixes the ids of the SVG, which must differ from those of other charts.
        matplotlib.rcParams.update({**STYLE, "svg.hashsalt": label})
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        paint(figure.add_subplot())
        stream = io.StringIO()
        facts = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(stream, format="svg", transparent=True, metadata=facts)
    return _inline(stream.getvalue(), label=label)


def _inline(svg: str, *, label: str) -> Markup:
    """Turn an SVG file into an element of the page.

    The prologue, the size and unused ids are dropped, and colours become style sheet variables.
    """
    svg = svg[svg.index("<svg") :].strip()
    box = re.search(r'viewBox="[^"]+"', svg)
    body = svg[svg.index(">") + 1 :].replace("xlink:href", "href")
    used = set(re.findall(r"#([\w-]+)\)|href=\"#([\w-]+)\"", body))
    kept = {name for pair in used for name in pair if name}
    body = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in kept else "", body)
    for tone, variable in COLORS.items():
        body = body.replace(tone, f"var(--{variable})")
    # matplotlib writes the rest of the element and escapes every text in it
    frame = Markup('<svg {} role="img" aria-label="{}">{}')
    return frame.format(Markup(box[0] if box else ""), label, Markup(body))
