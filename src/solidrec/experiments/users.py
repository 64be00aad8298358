"""Values of every user in a cell: one file for each protocol and measure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from solidrec.arrays import Array
from solidrec.artifacts import read_parquet, sha256, write_table
from solidrec.errors import DamagedError, StorageError
from solidrec.evaluate.result import Evaluation
from solidrec.experiments.plan import RESULTS, USERS


def users_file(out: Path, key: str, name: str) -> Path:
    """Return the file with the values of every user under a protocol or of a measure."""
    return out / USERS / f"{key}-{name}.parquet"


def write_users(out: Path, key: str, found: Evaluation) -> None:
    """Write the metrics of every user."""
    columns: dict[str, Array] = {"user": np.unique(found.users), **found.per_user}
    write_table(users_file(out, key, found.protocol), pl.DataFrame(columns))


def written(out: Path, key: str, names: Iterable[str]) -> dict[str, str]:
    """Return the sha256 of a cell's files, by protocol or measure; not every measure has one."""
    files = {name: users_file(out, key, name) for name in names}
    return {name: sha256(path) for name, path in files.items() if path.is_file()}


def read_users(out: Path, key: str, name: str, *, digest: str | None = None) -> pl.DataFrame:
    """Read values of users; raise `StorageError` if they are gone, `DamagedError` if unreadable.

    Their file must have the sha256 that the cell's record has, `digest`; earlier records have none.
    """
    path = users_file(out, key, name)
    cure = f"remove the line of {key} from {out / RESULTS} and run the experiment again"
    if not path.is_file():
        raise StorageError(f"{path}: is gone; {cure}")
    # Before it is parsed: a damaged header can claim so much memory that the process is aborted.
    if digest is not None and sha256(path) != digest:
        raise DamagedError(f"{path}: is not what {out / RESULTS} has of it; {cure}")
    try:
        frame = read_parquet(path)
        frame.get_column("user")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DamagedError(f"{path}: is damaged ({str(error).splitlines()[0]}); {cure}") from None
    return frame
