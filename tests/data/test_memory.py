"""Memory per row: the peak of a fresh process on a large log less that on a small one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl

MEASURE = """
import resource, sys
from solidrec.data.prepare import prepare
prepare(sys.argv[1], out=sys.argv[2], negatives=0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(folder: Path, rows: int) -> int:
    """The peak memory in bytes of preparing a log with so many rows, ten a user."""
    rng = np.random.default_rng(0)
    users, items = rng.integers(0, rows // 10, rows), rng.integers(0, rows // 100, rows)
    log = pl.DataFrame({"user": users, "item": items, "timestamp": rng.integers(0, 10**9, rows)})
    log = log.with_columns(
        pl.format("a-long-name-of-user-{}", "user").alias("user"),
        pl.format("item-{}", "item").alias("item"),
    )
    log.write_parquet(folder / f"{rows}.parquet")
    command = [
        sys.executable,
        "-c",
        MEASURE,
        str(folder / f"{rows}.parquet"),
        str(folder / str(rows)),
    ]
    environment = os.environ | {"POLARS_MAX_THREADS": "2", "OMP_NUM_THREADS": "1"}
    return 1024 * int(
        subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    )


def test_a_row_costs_numbers_and_no_strings(tmp_path: Path) -> None:
    small, large = 500_000, 2_500_000
    # measured: about 100 bytes a row (45 at 10^8 rows, where buffers weigh less); 320 with strings
    assert peak(tmp_path, large) - peak(tmp_path, small) < 200 * (large - small)
