"""Train models with several seeds on one prepared folder and print paired means and spreads.

    python benchmarks/quality.py data --models static duet --seeds 5 --out runs/quality --jobs 2

Finished runs are kept, so the same command resumes where it was stopped. Each job has one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np

METRICS = ("AUC", "UAUC", "NDCG@10", "Recall@10")


def main() -> None:
    """Train what is missing, then print the tables."""
    options = arguments()
    cells = list(product(range(options.seeds), options.models))
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda cell: train(options, *cell), cells))
    found = {
        model: [test_metrics(options.out, model, seed) for seed in range(options.seeds)]
        for model in options.models
    }
    print_means(found)
    print_pairs(found)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--backbone", default="sasrec")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], help="passed on to `solidrec train`")
    return parser.parse_args()


def train(options: argparse.Namespace, seed: int, model: str) -> None:
    """Run one `solidrec train` with one thread."""
    out = options.out / f"{model}-seed{seed}"
    command = [sys.executable, "-m", "solidrec.cli", "train", str(options.data), "--model", model]
    command += ["--backbone", options.backbone, "--seed", str(seed), "--out", str(out)]
    for pair in options.set:
        command += ["--set", pair]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{out}: {done.stderr.strip()}")
    print(out, metrics_of(out)["UAUC"], file=sys.stderr, flush=True)


def metrics_of(run: Path) -> dict[str, float]:
    """Return the test metrics of a run."""
    found: dict[str, float] = json.loads((run / "metrics.json").read_text())["test"]["metrics"]
    return found


def test_metrics(out: Path, model: str, seed: int) -> list[float]:
    """Return the test metrics of one run in the order of METRICS."""
    metrics = metrics_of(out / f"{model}-seed{seed}")
    return [metrics[name] for name in METRICS]


def print_means(found: dict[str, list[list[float]]]) -> None:
    """Print the mean and the standard deviation over seeds."""
    print(f"{'model':14s}" + "".join(f"{name:>18s}" for name in METRICS))
    for model, rows in found.items():
        table = np.array(rows)
        spread = table.std(0, ddof=1) if len(rows) > 1 else np.zeros(len(METRICS))
        pairs = zip(table.mean(0), spread, strict=True)
        print(f"{model:14s}" + "".join(f"{m:>9.4f} ± {s:.4f} " for m, s in pairs))


def print_pairs(found: dict[str, list[list[float]]]) -> None:
    """Print mean and standard error of each difference of two models, paired over seeds."""
    names = list(found)
    for later, model in enumerate(names):
        for other in names[:later]:
            gap = np.array(found[model]) - np.array(found[other])
            error = np.full(len(METRICS), np.nan)
            if len(gap) > 1:
                error = gap.std(0, ddof=1) / np.sqrt(len(gap))
            pairs = zip(gap.mean(0), error, strict=True)
            cells = "".join(f"{m:>+9.4f} ± {e:.4f} " for m, e in pairs)
            print(f"{model + ' - ' + other:26s}{cells}")


if __name__ == "__main__":
    main()
