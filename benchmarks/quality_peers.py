"""Compare quality and CPU seconds of solidrec with those of SASRec and eSASRec of rectools.

    python benchmarks/quality_peers.py beauty scientific --peers .venv-peers/bin/python

This is what `make quality-peers` does. Users, items and ranking are the same for all. Each DATA is
a folder of `solidrec prepare`. Peers are trained with each given dropout, and epoch and dropout are
chosen on validation users; solidrec trains with its defaults. Each has one thread. Writes
benchmarks/results/quality-peers.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from quality_peer import ndcg
from solidrec.console import say
from solidrec.data.prepared import PreparedData
from solidrec.data.windows import ranges
from solidrec.defaults import width
from solidrec.errors import UsageError

HERE = Path(__file__).resolve().parent
OUT = HERE / "results" / "quality-peers.json"
OURS = ("plain", "mixture")
PEERS = ("sasrec", "esasrec")
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def main() -> None:
    """Train what is missing, then write and print the table."""
    options = arguments()
    rows = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else []
    for folder in options.data:
        data = PreparedData.open(folder)
        with tempfile.TemporaryDirectory(prefix="solidrec-quality-") as scratch:
            log = Path(scratch) / "log.parquet"
            write_log(data, log)
            for name in (*PEERS, *OURS):
                key: dict[str, object] = {
                    "data": folder.name,
                    "fingerprint": data.fingerprint,
                    "name": name,
                }
                key |= (
                    {"epochs_at_most": options.epochs, "dropouts": options.dropouts}
                    if name in PEERS
                    else {}
                )
                if any(key.items() <= row.items() for row in rows):
                    continue
                say(f"{folder.name}: {name}")
                found = (
                    peer(options, name, log, dim=width(len(data.items)))
                    if name in PEERS
                    else ours(folder, name, Path(scratch))
                )
                rows.append(
                    {**key, **found, "cpu_model": platform.processor() or platform.machine()}
                )
                options.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    text = table(rows)
    options.out.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="+", help="prepared folders")
    parser.add_argument(
        "--peers",
        type=Path,
        required=True,
        help="the Python of the environment that peers-requirements.txt made",
    )
    parser.add_argument("--epochs", type=int, default=100, help="of a peer, at most")
    parser.add_argument(
        "--dropouts", type=float, nargs="+", default=[0.2, 0.5], help="that a peer is tried with"
    )
    parser.add_argument("--out", type=Path, default=OUT)
    return parser.parse_args()


def write_log(data: PreparedData, path: Path) -> None:
    """Write every event with its part; users and items are from 0, and times are distinct."""
    if data.manifest["split"] != "leave-one-out":
        raise UsageError(
            f"{data.path}: split {data.manifest['split']!r}; "
            "the peers' ranking is written for leave-one-out"
        )
    users, positions = ranges(data.offsets[:-1], data.offsets[1:])
    part = np.full(len(users), "train", dtype="<U5")
    for split in ("valid", "test"):
        part[np.searchsorted(positions, data.rows(split).positions)] = split
    frame = pl.DataFrame(
        {
            "user": users - 1,
            "item": data.event_items[positions] - 1,
            "time": np.arange(len(users)),
            "part": part,
        }
    )
    frame.write_parquet(path)


def peer(options: argparse.Namespace, name: str, log: Path, *, dim: int) -> dict[str, object]:
    """Train a peer with each dropout and return the best on validation, with the total CPU time."""
    trials = []
    for dropout in options.dropouts:
        command = [
            str(options.peers),
            str(HERE / "quality_peer.py"),
            name,
            str(log),
            "--dropout",
            str(dropout),
            "--dim",
            str(dim),
        ]
        done = subprocess.run(
            [*command, "--epochs", str(options.epochs)],
            env=os.environ | ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        trials.append({**json.loads(done.stdout), "dropout": dropout})
    best = max(trials, key=lambda trial: trial["valid"])
    rank = np.array(best["ranks"])
    return {
        "NDCG@10": ndcg(rank),
        "Recall@10": float((rank > 0).mean()),
        "users": len(rank),
        "valid": best["valid"],
        "cpu": best["cpu"],
        "cpu_of_all_trials": sum(trial["cpu"] for trial in trials),
        "epochs": best["epochs"],
        "settings": {"dropout": best["dropout"]},
        "version": best["peer"],
    }


def ours(folder: Path, name: str, scratch: Path) -> dict[str, object]:
    """Train a solidrec model with its defaults on a copy of the data without earlier results."""
    fresh = scratch / f"fresh-{name}"
    shutil.copytree(folder, fresh, ignore=shutil.ignore_patterns("experts", "semantics"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "solidrec.cli",
            "train",
            str(fresh),
            "--model",
            name,
            "--out",
            str(scratch / name),
        ],
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    metrics = json.loads((scratch / name / "metrics.json").read_text(encoding="utf-8"))
    test, valid = metrics["test_full"], metrics["valid_full"]["metrics"]["NDCG@10"]
    return {
        "NDCG@10": test["metrics"]["NDCG@10"],
        "Recall@10": test["metrics"]["Recall@10"],
        "users": test["users"],
        "valid": valid,
        "cpu": cpu,
        "cpu_of_all_trials": cpu,
        "settings": {},
        "version": "solidrec",
    }


def table(rows: list[dict[str, object]]) -> str:
    """Return the rows as Markdown."""
    lines = [
        "| data | model | NDCG@10 | Recall@10 | CPU seconds (all trials) |",
        "|---|---|---:|---:|---:|",
    ]
    for row in rows:
        seconds = f"{row['cpu']:,.0f} ({row['cpu_of_all_trials']:,.0f})"
        whose = f"{row['version']} {row['name']}"
        lines.append(
            f"| {row['data']} | {whose} | {row['NDCG@10']:.4f} | {row['Recall@10']:.4f} | "
            f"{seconds} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
