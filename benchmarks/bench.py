"""Measure solidrec, the naive reference and the installed peers, which take turns in one run.

    python benchmarks/bench.py --peers .venv-peers/bin/python        # what `make bench` does
    python benchmarks/bench.py --only train --threads 1 --repeats 3
    python benchmarks/bench.py --quick --out before.json             # solidrec alone, one minute
    python benchmarks/bench.py --compare before.json after.json      # exit code 1 if slower

Values are medians on MovieLens 100K if it is available, else on a synthetic log of its shape. The
rows are written to benchmarks/results/latest.json, with the machine and versions (.about.json) and
a picture (.png) beside them. A peer that does not start is reported in one line and left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from peers import PEERS
from picture import draw
from solidrec.console import console, counted, out, say
from solidrec.errors import SolidrecError
from speed.command import choose, compare_files
from speed.compare import with_peers
from speed.data import LOG, write_data
from speed.measurement import MILLISECONDS, PER_SECOND
from speed.result import Result
from speed.run import run, total_steps
from speed.system import System, our_systems
from speed.table import rich_tables

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
NAIVE = (
    *(f"train/naive/{name}/sasrec" for name in ("static", "apg", "duet", "solid-duet")),
    *(f"evaluate/naive/{name}/sasrec" for name in ("static", "duet", "solid-duet")),
    "nearest-code/naive",
)
MODULES = {"rectools": "rectools.models", "replay": "replay.models.nn.sequential"}
SOFTMAX_PEERS = tuple(name for name in PEERS if name.startswith("train/rectools-softmax/"))
TRAINED_PEERS = tuple(
    name for name in PEERS if name.startswith("train/") and name not in SOFTMAX_PEERS
)
AGAINST: dict[str, tuple[str, ...]] = {
    "train/static/sasrec": ("train/naive/static/sasrec", *TRAINED_PEERS),
    **{
        f"train/static/sasrec/{form}": TRAINED_PEERS
        for form in ("default", "window", "last", "last/wide")
    },
    **{f"train/plain/sasrec/softmax{form}": SOFTMAX_PEERS for form in ("", "/wide")},
    **{
        f"train/{name}/sasrec": (f"train/naive/{name}/sasrec",)
        for name in ("apg", "duet", "solid-duet")
    },
    **{
        f"train/{name}/sasrec/default": (f"train/naive/{name}/sasrec",)
        for name in ("duet", "solid-duet")
    },
    **{
        f"evaluate/1+99/{name}/sasrec": (f"evaluate/naive/{name}/sasrec",)
        for name in ("static", "duet", "solid-duet")
    },
    **{
        f"top-10/{name}/sasrec": ("top-10/rectools", "top-10/replay")
        for name in ("static", "duet", "solid-duet")
    },
    "nearest-code/770": ("nearest-code/naive",),
}
"""The rows that a row is compared with; the best of them is the peer that the table names."""


def main() -> None:
    """Measure, print and write a result, or compare two results."""
    options = arguments()
    try:
        if options.compare is None:
            measure(options)
            return
        worse, table = compare_files(*options.compare, tolerance=options.tolerance)
        out().print(table)
        raise SystemExit(1 if worse else 0)
    except SolidrecError as error:
        raise SystemExit(f"bench.py: {error}") from None


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--peers", type=Path, help="the Python of the environment that peers-requirements.txt made"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few subjects of ours, one thread, two repeats"
    )
    parser.add_argument("--only", help="only what starts with this, for example train")
    parser.add_argument(
        "--threads", type=above_0, nargs="+", help="numbers of threads, default 1 2"
    )
    parser.add_argument(
        "--repeats", type=above_0, help="repeats of each, after one that does not count; default 5"
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "latest.json")
    parser.add_argument(
        "--compare",
        type=Path,
        nargs=2,
        help="measure nothing: name what got slower from one result to another",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.2,
        help="what --compare lets pass: 0.2 is a fifth slower",
    )
    options = parser.parse_args(words)
    options.threads = options.threads or ([1] if options.quick else [1, 2])
    options.repeats = options.repeats or (2 if options.quick else 5)
    return options


def above_0(word: str) -> int:
    """Read a whole number of 1 or more."""
    if not word.isdigit() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r}: give a whole number of 1 or more")
    return int(word)


def measure(options: argparse.Namespace) -> None:
    """Measure what was asked for, print the tables and write the result."""
    with tempfile.TemporaryDirectory(prefix="solidrec-bench-") as scratch:
        folder = Path(scratch)
        systems = our_systems(folder)
        if not options.quick:
            systems += [*naive_systems(folder), *peer_systems(options.peers, folder)]
        chosen = choose([system.name for system in systems], quick=options.quick, only=options.only)
        source = write_data(folder)
        say(f"measuring on {source}; medians of {options.repeats}; OMP_WAIT_POLICY=PASSIVE")
        systems = [system for system in systems if system.name in chosen]
        steps = total_steps(systems, threads=options.threads, repeats=options.repeats)
        with counted(console, "measuring", steps, shown=True) as step:
            rows = run(
                systems, threads=options.threads, repeats=options.repeats, say=say, step=step
            )
    rows = with_peers(rows, AGAINST)
    present = {peer_of(row.name) for row in rows}
    pinned = [
        line
        for line in (HERE / "peers-requirements.txt").read_text().split()
        if line.startswith(tuple(present & set(MODULES)))
    ]
    found = Result.of(
        rows, threads=options.threads, repeats=options.repeats, source=source, peers=pinned
    )
    out().print(*rich_tables(rows))
    found.write(options.out)
    draw(found, options.out.with_suffix(".png"))
    say(f"wrote {options.out} and {options.out.with_suffix('.png')}")


def naive_systems(folder: Path) -> list[System]:
    """Return the systems of the naive reference."""
    worker = (sys.executable, str(HERE / "naive_worker.py"))
    units = {"train": "positives", "evaluate": "users", "nearest-code": "call"}
    return [
        System(
            name,
            (*worker, name, str(folder)),
            units[group],
            MILLISECONDS if group == "nearest-code" else PER_SECOND,
            memory=True,
        )
        for name in NAIVE
        if (group := name.partition("/")[0])
    ]


def peer_systems(python: Path | None, folder: Path) -> list[System]:
    """Return the systems of the installed peers and print a line for each missing one."""
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
    """Return the peer in a name: `rectools` for ``train/rectools-softmax/128``."""
    return name.split("/")[1].partition("-")[0]


def why_not(python: Path | None, module: str) -> str | None:
    """Return why a peer cannot take part, or None if it can."""
    if python is None or not python.exists():
        return f"{python or 'no --peers given'}; `make bench` makes that environment"
    done = subprocess.run(
        [str(python), "-c", f"import {module}"], capture_output=True, text=True, check=False
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode else None


if __name__ == "__main__":
    main()
