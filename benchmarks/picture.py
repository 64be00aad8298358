"""Draw the results of a benchmark: rates beside those of peers and targets, and cost against size.

python benchmarks/picture.py        # draws benchmarks/results/latest.png again
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from solidrec.report.plots import BASELINE_COLORS, GRID, INK, MUTED, RUN_COLORS, STYLE
from speed.measurement import Row
from speed.result import Result

RESULTS = Path(__file__).resolve().parent / "results"
OURS, NAIVE, PEER = RUN_COLORS[0][0], BASELINE_COLORS[1][0], RUN_COLORS[1][0]
TARGETS = {
    "train/static/sasrec": 128_647,
    "train/duet/sasrec": 60_000,
    "train/apg/sasrec": 80_000,
    "train/solid-duet/sasrec": 30_000,
    "evaluate/1+99/static/sasrec": 40_000,
    "evaluate/1+99/duet/sasrec": 20_000,
    "evaluate/1+99/solid-duet/sasrec": 12_000,
    "evaluate/full/duet/sasrec": 30_000,
    "evaluate/full/static/gru4rec": 48_588,
    "evaluate/full/static/sasrec": 48_588,
}
"""The targets of the project, per CPU-second of one thread."""
PANELS = (
    ("train", "training positives per CPU-second"),
    ("evaluate", "evaluated users per CPU-second"),
    ("top-10", "users given their best ten, per CPU-second"),
)
SHOWN = ("step_ms", "evaluate_ms_user", "train_mb", "prepare_cpu_s")
AXES = {"items": "items", "codes": "codes", "users": "users", "history": "history length"}


def draw(found: Result, path: Path) -> None:
    """Draw the rates of a result at its fewest threads, with the growth curves if they exist."""
    growth = path.with_name("growth.json")
    curves = json.loads(growth.read_text(encoding="utf-8"))["axes"] if growth.exists() else {}
    fewest = min(found.about["threads"])
    rows = [row for row in found.rows if row.threads == fewest and row.unit.endswith("/cpu-s")]
    panels = panels_of(rows)
    heights = [0.9 + 0.26 * len(mine) for _, mine in panels] + ([2.6] if curves else [])
    if not heights:
        return
    with styled():
        figure = Figure(figsize=(9, sum(heights) + 0.5), layout="constrained", dpi=110)
        parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, (title, mine) in zip(parts, panels, strict=False):
            bars(part.add_subplot(), title, mine)
        if curves:
            draw_curves(parts[-1], curves)
        versions = ", ".join(f"{name} {number}" for name, number in found.about["versions"].items())
        figure.suptitle(
            f"{found.about['machine']['cpu']}, {fewest} thread; {versions}\n"
            "blue solidrec · orange peers · grey the naive form",
            fontsize=8,
            color=MUTED,
        )
        figure.savefig(path)


def draw_growth(found: Mapping[str, Any], path: Path) -> None:
    """Draw the curves of `growth.py` alone."""
    with styled():
        size = (2.6 * len(found["axes"]) + 0.6, 2.8)
        figure = Figure(figsize=size, layout="constrained", dpi=110)
        draw_curves(figure, found["axes"])
        figure.savefig(path)


@contextmanager
def styled() -> Iterator[None]:
    """Use the style of the library's pictures, whatever the user's settings are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE | {"text.parse_math": True})
        yield


def panels_of(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """Return the title and the rows of each panel that has some."""
    panels = [
        (title, [row for row in rows if row.name.startswith(f"{group}/")])
        for group, title in PANELS
    ]
    return [(title, mine) for title, mine in panels if mine]


def bars(axes: Axes, title: str, rows: Sequence[Row]) -> None:
    """Draw one bar per row on a logarithmic axis, with a mark at its target."""
    rows = sorted(rows, key=lambda row: row.value, reverse=True)
    for place, row in enumerate(rows):
        axes.barh(place, row.value, color=color(row.name), height=0.62)
        beside = max(row.value, TARGETS.get(row.name, 0))
        axes.annotate(
            f"{row.value:,.0f}",
            (beside, place),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
        )
        if row.name in TARGETS:
            axes.plot(
                [TARGETS[row.name]] * 2, [place - 0.42, place + 0.42], color=INK, linewidth=1.8
            )
    axes.set_yticks(range(len(rows)), [row.name.partition("/")[2] for row in rows], fontsize=7.5)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xscale("log")
    axes.margins(x=0.12)
    axes.grid(False, axis="y")
    axes.set_title(f"{title} (line: the target)", loc="left", fontsize=9)


def color(name: str) -> str:
    """Return the colour of solidrec, the naive reference or a peer."""
    if "/naive" in name:
        return NAIVE
    return PEER if any(peer in name for peer in ("rectools", "replay")) else OURS


def draw_curves(figure: FigureBase, curves: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Draw curves side by side."""
    plots = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, points) in zip(plots, curves.items(), strict=True):
        curve(axes, name, points)


def curve(axes: Axes, name: str, points: Sequence[Mapping[str, Any]]) -> None:
    """Draw the costs over one size, relative to the first point, and the proportional line."""
    sizes = [point["size"] for point in points]
    for number, cost in enumerate(SHOWN):
        values = [point[cost] / points[0][cost] for point in points]
        axes.plot(sizes, values, marker="o", markersize=3, color=RUN_COLORS[number][0], label=cost)
    axes.plot(
        sizes, [size / sizes[0] for size in sizes], color=GRID, linestyle="--", label="proportional"
    )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(AXES.get(name, name))
    axes.set_title(f"cost against {AXES.get(name, name)}", loc="left", fontsize=8.5)
    axes.legend(fontsize=6, frameon=False)


if __name__ == "__main__":
    draw(Result.read(RESULTS / "latest.json"), RESULTS / "latest.png")
