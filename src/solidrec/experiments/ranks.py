"""The rank of each user's target in every cell: small to keep, and enough to repeat any test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.artifacts import write_table
from solidrec.experiments.tables.measured import Measured

_MISSED = 0
"""Rank of a target that could not be recommended."""


def _ranks_of(rows: Sequence[Measured]) -> pl.DataFrame:
    """Return one row per user with the target's rank (1 is best) in every cell.

    The columns are ``user_index`` and ``NAME · seed N`` for each cell. Index u is row u of
    ``users.parquet`` in the prepared folder, counted from 1. A rank is 1 / MRR rounded to the
    nearest whole number. It is exact unless the target's score ties with another or the user has
    several targets. `_MISSED` stands for no rank.
    """
    columns = {
        f"{row.name} · seed {seed}": _rank(values)
        for row in rows
        for seed, values in zip(row.seeds, row.per_user["MRR"], strict=True)
    }
    return pl.DataFrame({"user_index": rows[0].users.astype(np.uint32), **columns})


def _rank(reciprocal: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Return the ranks of reciprocal ranks.

    >>> _rank(np.array([1.0, 0.25, 0.0])).tolist()
    [1, 4, 0]
    """
    missed = ~(reciprocal > 0)  # NaN too
    return np.where(missed, _MISSED, np.rint(1 / np.where(missed, 1, reciprocal))).astype(np.uint32)


def write_ranks(out: Path, measured: Mapping[str, Sequence[Measured]]) -> list[Path]:
    """Write ``ranks-PROTOCOL.parquet`` to `out` for each protocol with something finished."""
    paths = []
    for protocol, rows in measured.items():
        if rows:
            paths.append(out / f"ranks-{protocol}.parquet")
            write_table(paths[-1], _ranks_of(rows))
    return paths
