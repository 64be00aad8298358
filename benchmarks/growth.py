"""Cost against size: items, codes, users and history length, each on synthetic logs of its own; one process a point.

    python benchmarks/growth.py                      # some minutes; users up to 10^6
    python benchmarks/growth.py --long --axis users  # with 10^7 users, 10^8 interactions: needs 10 GB of disk and patience
    python benchmarks/growth.py --axis history

Each point is what `growth_point.py` measures. The slope is that of a line through the logarithms: 1 is proportional.
Writes benchmarks/results/growth.json and growth.png.
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
from growth_point import Point
from picture import draw_growth
from rich.table import Table

from solidrec.artifacts import versions, write_json
from solidrec.console import out, say
from solidrec.experiments.bench_run import machine

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
COSTS = ("step_ms", "evaluate_ms_user", "train_mb", "prepare_s", "prepare_mb")


POINTS = [
    *(Point("items", 30_000, items, max(300_000, 8 * items)) for items in (1_000, 10_000, 100_000, 1_000_000)),
    *(Point("codes", 50_000, 130_000, 1_500_000, "solid-duet", codes=codes) for codes in (100, 1_000, 10_000, 100_000)),
    *(Point("users", users, 20_000, 10 * users) for users in (10_000, 100_000, 1_000_000)),
    *(Point("history", 3_000, 2_000, 900_000, length=length) for length in (10, 25, 50, 100, 200)),
]
LONG = [Point("users", 10_000_000, 1_000_000, 100_000_000)]


def main() -> None:
    """Measure the points and fit a line to each axis."""
    options = arguments()
    wanted = [point for point in POINTS + (LONG if options.long else []) if options.axis in (None, point.axis)]
    axes: dict[str, list[dict[str, Any]]] = {}
    for point in wanted:
        with tempfile.TemporaryDirectory(prefix="solidrec-growth-", dir=options.scratch) as scratch:
            facts = {
                key: value for half in ("prepare", "measure") for key, value in in_a_process(point, half, Path(scratch)).items()
            }
        axes.setdefault(point.axis, []).append(facts)
        say(f"{point.axis} {facts['size']:,}: " + ", ".join(f"{cost} {facts[cost]:,.3g}" for cost in COSTS))
    found = {"machine": machine(), "versions": versions(), "axes": axes, "slopes": {axis: slopes(axes[axis]) for axis in axes}}
    for axis, points in axes.items():
        out().print(table(axis, points, found["slopes"][axis]))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, found)
    draw_growth(found, options.out.with_suffix(".png"))
    say(f"wrote {options.out} and {options.out.with_suffix('.png')}")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axis", choices=sorted({point.axis for point in POINTS}))
    parser.add_argument("--long", action="store_true", help="with the points that take long: 10^7 users")
    parser.add_argument("--out", type=Path, default=RESULTS / "growth.json")
    parser.add_argument("--scratch", type=Path, help="where the logs go and are deleted again; default: the system's folder")
    return parser.parse_args()


def in_a_process(point: Point, half: str, scratch: Path) -> dict[str, Any]:
    """Run one half of a point in a fresh process with one thread, so that its peak memory is its own."""
    command = [sys.executable, str(HERE / "growth_point.py"), half, json.dumps(asdict(point)), str(scratch)]
    env = os.environ | {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": os.environ.get("POLARS_MAX_THREADS", "2")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def slopes(points: list[dict[str, Any]]) -> dict[str, float]:
    """Return the slope of each cost's logarithm over the size's."""
    if len(points) < 2:
        return {}
    sizes = np.log([point["size"] for point in points])
    return {cost: float(np.polyfit(sizes, np.log([point[cost] for point in points]), 1)[0]) for cost in COSTS}


def table(axis: str, points: list[dict[str, Any]], slope: dict[str, float]) -> Table:
    """Return the table of one axis; its last line is the slopes."""
    shown = Table(axis, *COSTS, title=f"cost against {axis}, 1 thread", title_justify="left")
    for point in points:
        shown.add_row(f"{point['size']:,}", *(f"{point[cost]:,.4g}" for cost in COSTS))
    if slope:
        shown.add_row("slope", *(f"{slope[cost]:.2f}" for cost in COSTS))
    return shown


if __name__ == "__main__":
    main()
