"""How fast the service answers, and whether it lasts: the table of docs/serving.md.

    python benchmarks/serving.py [--out serving] [--items 1682 100000] [--soak 60]

Runs know the memories of a synthetic log and random weights (what they know does not change how
fast they are). One process serves them, and `load_client.py` loads it on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from solidrec.api import prepare
from solidrec.data.prepared import PreparedData
from solidrec.defaults import run_spec
from solidrec.designs import DESIGNS
from solidrec.epochs import write_history
from solidrec.experts.alike import content_of
from solidrec.experts.counted import count
from solidrec.json_files import write_json
from solidrec.nn.build import build_mixture
from solidrec.runs import SPEC, save_run
from solidrec.training.context import RunContext
from solidrec.training.run import semantics_for
from solidrec.training.stages import start_of_stage

_HERE = Path(__file__).parent
MODELS: dict[str, dict[str, Any]] = {
    "solid-duet": {"model": {"name": "solid-duet", "dim": 32}},
    "mixture": {"model": {"name": "mixture"}, "train": {"passes": 1}},
}


def run_of(name: str, items: int, out: Path) -> Path:
    """Return a run folder of a model that knows so many items."""
    data, run = out / f"data-{items}", out / f"{name}-{items}"
    if not data.is_dir():
        rng, users = np.random.default_rng(0), max(1000, items // 10)
        # every item once, so that all are known; the rest are mostly the popular ones
        once = rng.permutation(items)
        more = (items * rng.random(users * 12 - items if users * 12 > items else 0) ** 3).astype(
            int
        )
        item = rng.permutation(np.concatenate([once, more]))
        user = np.arange(len(item)) % users
        log = pl.DataFrame({"user": user, "item": item, "timestamp": np.arange(len(item))})
        log = log.with_columns(pl.col("user", "item").cast(pl.String))
        ids = pl.Series("item", np.arange(items)).cast(pl.String)
        kinds = pl.Series("categories", [[f"kind {number % 200}"] for number in range(items)])
        prepare(log, items=pl.DataFrame([ids, kinds]), out=data)
    if not (run / "manifest.json").is_file():
        _write_run(PreparedData.open(data), name, run)
    return run


def _write_run(data: PreparedData, name: str, out: Path) -> None:
    """Write the run folder of a model as it is before training."""
    settings = MODELS[name]
    spec = run_spec(data, model=None, backbone=None, seed=0, epochs=None, settings=settings)
    semantics = semantics_for(RunContext(data, spec))
    ids = None if semantics is None else torch.from_numpy(semantics.table)
    if DESIGNS[spec.model.name].is_mixture:
        counted = count(data, content_of(data), ids)
        model: Any = build_mixture(spec.model, counted, semantic_of_item=ids)
    else:
        model = start_of_stage(data, spec, semantics, None, stage=1, device="cpu")
    write_json(out / SPEC, spec.model_dump(mode="json"))
    write_history(out, [])
    counts = np.asarray(data.train_counts[1:])
    save_run(
        out,
        spec,
        model.eval(),
        catalog=data.catalog.select("item", "title", "categories").with_columns(
            training_count=counts
        ),
        semantics=semantics,
        metrics={},
        facts={"digest": spec.digest(), "parameters": 0, "data": {"path": str(data.path)}},
    )


@contextmanager
def served(run: Path) -> Iterator[tuple[str, int, float]]:
    """Yield the address of a service, its process and the seconds from its start to ready."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    words = [sys.executable, "-m", "solidrec", "serve", str(run), "--port", str(port)]
    started = time.perf_counter()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            while True:
                if process.poll() is not None:
                    raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}")
                with suppress(urllib.error.URLError):
                    urllib.request.urlopen(f"{url}/ready", timeout=5)
                    break
                time.sleep(0.05)
            yield url, process.pid, time.perf_counter() - started
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(40)


def load(url: str, run: Path, **options: float) -> dict[str, Any]:
    """Load a service as `load_client.py` does, and return its summary."""
    words = [sys.executable, str(_HERE / "load_client.py"), url, str(run)]
    words += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    found = subprocess.run(words, capture_output=True, text=True, check=True)
    return dict(json.loads(found.stdout))


def memory(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def measured(run: Path, *, seconds: float, soak: float) -> dict[str, Any]:
    """Return all figures of one run."""
    found: dict[str, Any] = {}
    with served(run) as (url, pid, ready):
        found["ready_s"], found["start_mb"] = ready, memory(pid)
        load(url, run, seconds=1)
        found["candidates"] = load(url, run, candidates=100, seconds=seconds)
        found["catalogue"] = load(url, run, seconds=seconds)
        found["one"] = load(url, run, connections=1, seconds=seconds)
        peak = found["catalogue"]["per_second"]
        found["overload"] = load(url, run, rate=5 * peak, connections=400, seconds=seconds)
        started = time.perf_counter()
        calm = load(url, run, rate=0.3 * peak, seconds=2)
        found["after"] = {**calm, "recovered_s": round(time.perf_counter() - started, 2)}
        found["mb"] = memory(pid)
        if soak:
            files, sizes = Path(f"/proc/{pid}/fd"), [memory(pid)]
            opened, statuses = len([*files.iterdir()]), dict[str, int]()
            for _ in range(6):
                part = load(url, run, rate=0.5 * peak, seconds=soak / 6)
                for status, count in part["statuses"].items():
                    statuses[status] = statuses.get(status, 0) + count
                sizes.append(memory(pid))
            found["soak"] = {
                "seconds": soak,
                "statuses": statuses,
                "mb": [round(size, 1) for size in sizes],
                "files": len([*files.iterdir()]) - opened,
            }
    return found


def lines(results: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the table."""
    heads = [f"`{one['model']}`, {one['items']:,} items" for one in results]
    yield f"| | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(heads)}"
    rows = {
        "rank 100 candidates, 16 connections": lambda one: _rate(one["candidates"]),
        "whole catalogue, 16 connections": lambda one: _rate(one["catalogue"]),
        "one connection, p50": lambda one: f"{one['one']['p50_ms']:.1f} ms",
        "five times too much, answered in time": lambda one: (
            f"{one['overload']['goodput'] / one['catalogue']['per_second']:.0%} of the peak, "
            f"refused within {one['overload']['refused_p99_ms']} ms (p99)"
        ),
        "start to ready": lambda one: f"{one['ready_s']:.1f} s",
        "memory": lambda one: f"{one['mb']:.0f} MB",
        "soak": lambda one: (
            f"{one['soak']['seconds']:.0f} s, {one['soak']['statuses']}, MB {one['soak']['mb']}, "
            f"{one['soak']['files']:+} files"
            if "soak" in one
            else "-"
        ),
    }
    for name, text in rows.items():
        yield f"| {name} | {' | '.join(text(one) for one in results)} |"


def _rate(found: dict[str, Any]) -> str:
    return f"{found['per_second']:,.0f} requests/s, p99 {found['p99_ms']} ms"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("serving"))
    parser.add_argument("--items", type=int, nargs="+", default=[1682, 100_000])
    parser.add_argument("--models", nargs="+", default=[*MODELS])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--soak", type=float, default=60)
    args = parser.parse_args()
    results = []
    for items in args.items:
        for name in args.models:
            run = run_of(name, items, args.out)
            soak = args.soak if items == args.items[0] else 0.0
            found = measured(run, seconds=args.seconds, soak=soak)
            results.append({"model": name, "items": items, **found})
            print(json.dumps(results[-1]), file=sys.stderr, flush=True)
    (args.out / "serving.json").write_text(json.dumps(results, indent=1) + "\n")
    print("\n".join(lines(results)))


if __name__ == "__main__":
    main()
