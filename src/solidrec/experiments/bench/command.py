"""What `solidrec bench` does: choose, measure, write; or compare two results."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from solidrec.console import console, counted, say
from solidrec.errors import UsageError, nearest
from solidrec.experiments.bench.compare import Change, changes, slower
from solidrec.experiments.bench.data import write_data
from solidrec.experiments.bench.result import Result
from solidrec.experiments.bench.run import PRODUCT, our_systems, run, total_steps
from solidrec.experiments.bench.table import changes_table, rich_tables

THREADS, REPEATS = (1, 2), 5
QUICK_REPEATS = 2
QUICK = (
    "train/static/sasrec", "train/duet/sasrec", "train/solid-duet/sasrec",
    "evaluate/1+99/duet/sasrec", "evaluate/full/duet/sasrec", "top-10/duet/sasrec",
    "latency/recommend/solid-duet/sasrec", "nearest-code/770", "start/import solidrec", "start/solidrec --help",
)  # fmt: skip


def measure(
    *, quick: bool, only: str | None, threads: Sequence[int] | None, repeats: int | None, out: Path | None
) -> tuple[Result, list[Table]]:
    """Measure what was asked for, write it to `out`, and return the result and its tables.

    Raises `UsageError` when nothing is called `only` or `repeats` is less than 1.
    """
    threads = threads or (THREADS[:1] if quick else THREADS)
    repeats = repeats if repeats is not None else QUICK_REPEATS if quick else REPEATS
    if repeats < 1:
        raise UsageError(f"--repeats {repeats}: give 1 or more")
    with tempfile.TemporaryDirectory(prefix="solidrec-bench-") as scratch:
        folder = Path(scratch)
        chosen = choose([system.name for system in our_systems(folder)], quick=quick, only=only)
        source = write_data(folder)
        say(f"measuring on {source}; threads {', '.join(map(str, threads))}; {repeats} repeats; OMP_WAIT_POLICY=PASSIVE")
        systems = [system for system in our_systems(folder) if system.name in chosen]
        with counted(console, "measuring", total_steps(systems, threads=threads, repeats=repeats), shown=True) as step:
            rows = run(systems, threads=threads, repeats=repeats, say=say, step=step)
    found = Result.of(rows, threads=threads, repeats=repeats, source=source)
    if out is not None:
        found.write(out)
        say(f"wrote {out}; compare it with a later one: solidrec bench --compare {out} LATER.json")
    return found, rich_tables(rows)


def choose(names: Sequence[str], *, quick: bool, only: str | None) -> list[str]:
    """Return the subjects that were asked for; the matrix products, which give the floor, are always among them.

    >>> choose(["matrix product/tall", "train/a", "start/b"], quick=False, only="train")
    ['matrix product/tall', 'train/a']
    """
    wanted = [
        name for name in names if name.startswith(PRODUCT) or ((not quick or name in QUICK) and name.startswith(only or ""))
    ]
    if all(name.startswith(PRODUCT) for name in wanted):
        raise UsageError(f"--only {only}: nothing that is measured starts so{nearest(str(only), names)}")
    return wanted


def compare_files(before: Path, after: Path, *, tolerance: float) -> tuple[list[Change], Table]:
    """Return what got worse by more than `tolerance` from one result to another, and a table of it (or of the five worst)."""
    if not 0 < tolerance < 1:
        raise UsageError(f"--tolerance {tolerance}: give a share between 0 and 1")
    found = changes(Result.read(before).rows, Result.read(after).rows)
    if not found:
        raise UsageError(f"{before} and {after} have no figure in common")
    worse = slower(found, tolerance=tolerance)
    if worse:
        return worse, changes_table(f"{len(worse)} of {len(found)} figures got worse by more than {tolerance:.0%}", worse)
    return [], changes_table(f"none of {len(found)} figures got worse by more than {tolerance:.0%}; the lowest five", found[:5])
