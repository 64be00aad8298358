"""Measure everything in one run, in turn: solidrec, the naive reference, and the peers that are installed.

    python benchmarks/bench.py --peers .venv-peers/bin/python        # what `make bench` does
    python benchmarks/bench.py --only train --threads 1 --repeats 3

Writes benchmarks/results/latest.json (the rows), latest.about.json (machine and versions) and latest.png. A peer that does
not start is named in one line and left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import PEERS
from picture import draw

from solidrec.console import console, counted, out, say
from solidrec.experiments.bench.command import choose
from solidrec.experiments.bench.compare import with_peers
from solidrec.experiments.bench.data import LOG, write_data
from solidrec.experiments.bench.measurement import MILLISECONDS, PER_SECOND
from solidrec.experiments.bench.result import Result
from solidrec.experiments.bench.run import System, our_systems, run, total_steps
from solidrec.experiments.bench.table import rich_tables

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
NAIVE = (
    *(f"train/naive/{name}/sasrec" for name in ("static", "apg", "duet", "solid-duet")),
    *(f"evaluate/naive/{name}/sasrec" for name in ("static", "duet", "solid-duet")),
    "nearest-code/naive",
)
MODULES = {"rectools": "rectools.models", "replay": "replay.models.nn.sequential"}
SOFTMAX_PEERS = tuple(name for name in PEERS if name.startswith("train/rectools-softmax/"))
TRAINED_PEERS = tuple(name for name in PEERS if name.startswith("train/") and name not in SOFTMAX_PEERS)
AGAINST: dict[str, tuple[str, ...]] = {
    "train/static/sasrec": ("train/naive/static/sasrec", *TRAINED_PEERS),
    **{f"train/static/sasrec/{form}": TRAINED_PEERS for form in ("default", "window", "last", "last/wide")},
    **{f"train/plain/sasrec/softmax{form}": SOFTMAX_PEERS for form in ("", "/wide")},
    **{f"train/{name}/sasrec": (f"train/naive/{name}/sasrec",) for name in ("apg", "duet", "solid-duet")},
    **{f"train/{name}/sasrec/default": (f"train/naive/{name}/sasrec",) for name in ("duet", "solid-duet")},
    **{f"evaluate/1+99/{name}/sasrec": (f"evaluate/naive/{name}/sasrec",) for name in ("static", "duet", "solid-duet")},
    **{f"top-10/{name}/sasrec": ("top-10/rectools", "top-10/replay") for name in ("static", "duet", "solid-duet")},
    "nearest-code/770": ("nearest-code/naive",),
}
"""What is compared with what; the best of them is the peer that the table names."""


def main() -> None:
    """Measure, print, write."""
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="solidrec-bench-") as scratch:
        folder = Path(scratch)
        source = write_data(folder)
        say(f"measuring on {source}; medians of {options.repeats}; OMP_WAIT_POLICY=PASSIVE")
        systems = [*our_systems(folder), *naive_systems(folder), *peer_systems(options.peers, folder)]
        chosen = choose([system.name for system in systems], quick=False, only=options.only)
        systems = [system for system in systems if system.name in chosen]
        with counted(
            console, "measuring", total_steps(systems, threads=options.threads, repeats=options.repeats), shown=True
        ) as step:
            rows = run(systems, threads=options.threads, repeats=options.repeats, say=say, step=step)
    rows = with_peers(rows, AGAINST)
    present = {peer_of(row.name) for row in rows}
    pinned = [
        line for line in (HERE / "peers-requirements.txt").read_text().split() if line.startswith(tuple(present & set(MODULES)))
    ]
    found = Result.of(rows, threads=options.threads, repeats=options.repeats, source=source, peers=pinned)
    out().print(*rich_tables(rows))
    found.write(options.out)
    draw(found, options.out.with_suffix(".png"))
    say(f"wrote {options.out} and {options.out.with_suffix('.png')}")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, help="the Python of the environment that peers-requirements.txt made")
    parser.add_argument("--only", help="only what starts with this, for example train")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS / "latest.json")
    return parser.parse_args()


def naive_systems(folder: Path) -> list[System]:
    """Return the naive reference's systems."""
    worker = (sys.executable, str(HERE / "naive_worker.py"))
    units = {"train": "positives", "evaluate": "users", "nearest-code": "call"}
    return [
        System(
            name, (*worker, name, str(folder)), units[group], MILLISECONDS if group == "nearest-code" else PER_SECOND, memory=True
        )
        for name in NAIVE
        if (group := name.partition("/")[0])
    ]


def peer_systems(python: Path | None, folder: Path) -> list[System]:
    """Return the systems of the peers that are installed; what is missing is said in one line each."""
    missing = {name: why_not(python, module) for name, module in MODULES.items()}
    for name, why in missing.items():
        if why:
            say(f"without {name}: {why}")
    return [
        System(
            name,
            (str(python), str(HERE / "peers.py"), name, str(folder / LOG)),
            "positives" if name.startswith("train/") else "users",
            memory=True,
            optional=True,
        )
        for name in PEERS
        if not missing[peer_of(name)]
    ]


def peer_of(name: str) -> str:
    """Return the peer that a name speaks of: `rectools` of ``train/rectools-softmax/128``."""
    return name.split("/")[1].partition("-")[0]


def why_not(python: Path | None, module: str) -> str | None:
    """Return why a peer cannot take part, None if it can."""
    if python is None or not python.exists():
        return f"{python or 'no --peers given'}; `make bench` makes that environment"
    done = subprocess.run([str(python), "-c", f"import {module}"], capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else None


if __name__ == "__main__":
    main()
