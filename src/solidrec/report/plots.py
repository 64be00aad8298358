"""Charts as inline SVG: deterministic, without a global figure, in colours that the page's style sheet decides."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.ticker import MaxNLocator

# Told apart by people with any colour vision (after Okabe and Ito), each with a light and a dark page's tone.
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
"""The tones that are drawn, and the variables of the style sheet that stand in their place on the page."""
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
    """How one contender looks wherever it appears: a drawn tone, matplotlib's marker and the same as a character."""

    label: str
    color: str
    marker: str
    glyph: str
    hollow: bool

    @classmethod
    def run(cls, label: str, number: int) -> Series:
        """Return the look of the run `number` (from 0): a colour and a filled marker."""
        return cls(
            label,
            RUN_COLORS[number % len(RUN_COLORS)][0],
            *_MARKERS[number % len(_MARKERS)],
            hollow=False,
        )

    @classmethod
    def baseline(cls, label: str, number: int) -> Series:
        """Return the look of the baseline `number`: grey and hollow."""
        return cls(
            label,
            BASELINE_COLORS[number % len(BASELINE_COLORS)][0],
            *_HOLLOW[number % len(_HOLLOW)],
            hollow=True,
        )


@final
@dataclass(frozen=True)
class Line:
    """A curve: ``x`` and ``y`` of one length, dashed, thin or of points alone, ``chosen`` the index to mark or None."""

    series: Series
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False
    points: bool = False
    chosen: int | None = None
    thin: bool = False


def line_chart(
    lines: Sequence[Line],
    *,
    label: str,
    x_label: str = "epoch",
    share: bool = False,
    counts: bool = False,
    limit: tuple[float, str] | None = None,
) -> str:
    """Draw curves over epochs; `share` is an axis of 0 to 100%, `counts` one of whole numbers from 0, `limit` a named level."""

    def paint(axes: Axes) -> None:
        for line in lines:
            style = (0, (4, 1.6)) if line.dashed else "solid"
            if line.points or len(line.x) == 1:
                axes.plot(line.x, line.y, "o", color=line.series.color, markersize=3.2)
            else:
                axes.plot(
                    line.x,
                    line.y,
                    color=line.series.color,
                    linestyle=style,
                    linewidth=0.9 if line.thin else 1.6,
                )
            if line.chosen is not None:
                at = ([line.x[line.chosen]], [line.y[line.chosen]])
                axes.plot(
                    *at,
                    marker=line.series.marker,
                    color=line.series.color,
                    markersize=4 if line.thin else 7,
                    linestyle="none",
                )
        axes.set_xlabel(x_label)
        axes.xaxis.set_major_locator(few_ticks(integer=True))
        axes.yaxis.set_major_locator(few_ticks(integer=counts))
        if len({x for line in lines for x in line.x}) == 1:
            axes.set_xlim(lines[0].x[0] - 1, lines[0].x[0] + 1)
        if counts:
            axes.set_ylim(-0.03 * (top := max(axes.get_ylim()[1], 1)), 1.04 * top)
        if share:
            axes.set_ylim(-0.04, 1.06)
            axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0%", "25%", "50%", "75%", "100%"])
        if limit is not None:
            axes.axhline(limit[0], color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
            axes.annotate(
                limit[1],
                (1, limit[0]),
                (0, 3),
                xycoords=("axes fraction", "data"),
                textcoords="offset points",
                ha="right",
                color=MUTED,
                fontsize=8,
            )
            axes.set_ylim(0, max(axes.get_ylim()[1], 1.12 * limit[0]))

    return drawing(paint, height=2.3, label=label)


def histogram(
    values: Sequence[int], *, label: str, x_label: str, y_label: str, bins: int = 24
) -> str:
    """Draw how often whole numbers fall into bins of whole width."""
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
    """Return a locator of a few round places."""
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=most, integer=integer, steps=[1, 2, 2.5, 5, 10])


def drawing(paint: Callable[[Axes], None], *, height: float, label: str) -> str:
    """Let `paint` fill one pair of axes and return them as an ``<svg>`` element; `label` names it, once a page."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # a person's own matplotlibrc does not change the report
        matplotlib.rcParams.update(
            {**STYLE, "svg.hashsalt": label}
        )  # ids that are fixed, and unlike those of another chart
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        paint(figure.add_subplot())
        stream = io.StringIO()
        facts = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(stream, format="svg", transparent=True, metadata=facts)
    return _inline(stream.getvalue(), label=label)


def _inline(svg: str, *, label: str) -> str:
    """Turn an SVG file into an element of the page: no prologue, no size, no ids that nothing refers to, variables as colours."""
    svg = svg[svg.index("<svg") :].strip()
    box = re.search(r'viewBox="[^"]+"', svg)
    body = svg[svg.index(">") + 1 :].replace("xlink:href", "href")
    used = set(re.findall(r"#([\w-]+)\)|href=\"#([\w-]+)\"", body))
    kept = {name for pair in used for name in pair if name}
    body = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in kept else "", body)
    for tone, variable in COLORS.items():
        body = body.replace(tone, f"var(--{variable})")
    return f'<svg {box[0] if box else ""} role="img" aria-label="{html.escape(label)}">{body}'
