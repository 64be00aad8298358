"""Choose what a run of the benchmark measures, and compare two results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from solidrec.errors import UsageError, nearest
from speed.compare import Change, changes, slower
from speed.result import Result
from speed.system import PRODUCT
from speed.table import changes_table

QUICK = (
    "train/static/sasrec",
    "train/duet/sasrec",
    "train/solid-duet/sasrec",
    "evaluate/1+99/duet/sasrec",
    "evaluate/full/duet/sasrec",
    "top-10/duet/sasrec",
    "latency/recommend/solid-duet/sasrec",
    "nearest-code/770",
    "start/import solidrec",
    "start/solidrec --help",
)


def choose(names: Sequence[str], *, quick: bool, only: str | None) -> list[str]:
    """Return the subjects that were asked for, with the matrix products, which give the floor.

    >>> choose(["matrix product/tall", "train/a", "start/b"], quick=False, only="train")
    ['matrix product/tall', 'train/a']
    """
    wanted = [
        name
        for name in names
        if name.startswith(PRODUCT)
        or ((not quick or name in QUICK) and name.startswith(only or ""))
    ]
    if all(name.startswith(PRODUCT) for name in wanted):
        raise UsageError(
            f"--only {only}: nothing that is measured starts so{nearest(str(only), names)}"
        )
    return wanted


def compare_files(before: Path, after: Path, *, tolerance: float) -> tuple[list[Change], Table]:
    """Return what got worse by more than `tolerance`, and a table of it or of the lowest five."""
    if not 0 < tolerance < 1:
        raise UsageError(f"--tolerance {tolerance}: give a share between 0 and 1")
    found = changes(Result.read(before).rows, Result.read(after).rows)
    if not found:
        raise UsageError(f"{before} and {after} have no figure in common")
    worse = slower(found, tolerance=tolerance)
    if worse:
        return worse, changes_table(
            f"{len(worse)} of {len(found)} figures got worse by more than {tolerance:.0%}", worse
        )
    return [], changes_table(
        f"none of {len(found)} figures got worse by more than {tolerance:.0%}; the lowest five",
        found[:5],
    )
