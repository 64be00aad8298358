"""Measure cost against size: items, codes, users and history length, with one process per point.

    python benchmarks/growth.py                      # some minutes; users up to 10^6
    python benchmarks/growth.py --long --axis users  # 10^7 users, 10^8 interactions, 10 GB of disk
    python benchmarks/growth.py --axis history       # one axis; the file keeps the others

Each axis has its own synthetic logs, and each point is what `growth_point.py` measures. A slope is
that of a line through the logarithms: 1 means proportional. Writes benchmarks/results/growth.json
and growth.png.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from growth_point import Point
from picture import draw_growth
from solidrec.console import out, say
from solidrec.json_files import read_json, write_json
from solidrec.provenance import versions
from speed.run import machine
from speed.table import number

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
COSTS = ("step_ms", "evaluate_ms_user", "train_mb", "prepare_cpu_s", "prepare_mb")


POINTS = [
    *(
        Point("items", 30_000, items, max(300_000, 8 * items))
        for items in (1_000, 10_000, 100_000, 1_000_000)
    ),
    *(
        Point("codes", 50_000, 130_000, 1_500_000, "solid-duet", codes=codes)
        for codes in (100, 1_000, 10_000, 100_000)
    ),
    *(Point("users", users, 20_000, 10 * users) for users in (10_000, 100_000, 1_000_000)),
    *(Point("history", 3_000, 2_000, 900_000, length=length) for length in (10, 25, 50, 100, 200)),
]
LONG = [Point("users", 10_000_000, 1_000_000, 100_000_000)]


def main() -> None:
    """Measure the points and fit a line to each axis."""
    options = arguments()
    points = POINTS + (LONG if options.long else [])
    axes: dict[str, list[dict[str, Any]]] = {}
    for point in (point for point in points if options.axis in (None, point.axis)):
        with tempfile.TemporaryDirectory(prefix="solidrec-growth-", dir=options.scratch) as scratch:
            facts = in_a_process(point, "prepare", Path(scratch))
            facts |= in_a_process(point, "measure", Path(scratch))
        axes.setdefault(point.axis, []).append(facts)
        costs = ", ".join(f"{cost} {number(facts[cost])}" for cost in COSTS)
        say(f"{point.axis} {facts['size']:,}: {costs}")
    for axis, measured in axes.items():
        out().print(table(axis, measured))
    found = {"machine": machine(), "versions": versions(), "axes": earlier(options) | axes}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, found)
    draw_growth(found, options.out.with_suffix(".png"))
    say(f"wrote {options.out} and {options.out.with_suffix('.png')}")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--axis", choices=sorted({point.axis for point in POINTS}))
    parser.add_argument(
        "--long", action="store_true", help="with the points that take long: 10^7 users"
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "growth.json")
    parser.add_argument(
        "--scratch",
        type=Path,
        help="where the logs go and are deleted again; default: the system's folder",
    )
    return parser.parse_args()


def in_a_process(point: Point, half: str, scratch: Path) -> dict[str, Any]:
    """Run half of a point in a fresh process with one thread, to measure its own peak memory."""
    worker = [sys.executable, str(HERE / "growth_point.py")]
    command = [*worker, half, json.dumps(asdict(point)), str(scratch)]
    env = {"POLARS_MAX_THREADS": "2"} | os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def earlier(options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Return the axes in the result file if only one axis is measured; that one is replaced."""
    if options.axis is None or not options.out.exists():
        return {}
    found: dict[str, list[dict[str, Any]]] = read_json(options.out)["axes"]
    return found


def slopes(points: list[dict[str, Any]]) -> dict[str, float]:
    """Return the slope of log(cost) over log(size) for each cost, fitted to all points."""
    sizes = np.log([point["size"] for point in points])
    return {
        cost: float(np.polyfit(sizes, np.log([point[cost] for point in points]), 1)[0])
        for cost in COSTS
    }


def lines(axis: str, points: list[dict[str, Any]]) -> list[list[str]]:
    """Return the table of one axis as text: heads, points, slope, and slope of the last two."""
    found = [[axis, *COSTS]]
    found += [[f"{point['size']:,}", *(number(point[cost]) for cost in COSTS)] for point in points]
    if len(points) > 1:
        for name, part in (("slope", points), ("slope at the end", points[-2:])):
            found.append([name, *(f"{slope:.2f}" for slope in slopes(part).values())])
    return found


def table(axis: str, points: list[dict[str, Any]]) -> Table:
    """Return the table of one axis for a terminal."""
    heads, *rows = lines(axis, points)
    shown = Table(*heads, title=f"cost against {axis}, 1 thread", title_justify="left")
    for row in rows:
        shown.add_row(*row)
    return shown


if __name__ == "__main__":
    main()
