"""Values of every user in a cell: one file for each protocol and measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from solidrec.arrays import Array
from solidrec.artifacts import write_table
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


def read_users(out: Path, key: str, name: str) -> pl.DataFrame:
    """Read values of users; raise `StorageError` if they are gone, `DamagedError` if unreadable."""
    path = users_file(out, key, name)
    cure = f"remove the line of {key} from {out / RESULTS} and run the experiment again"
    if not path.is_file():
        raise StorageError(f"{path}: is gone; {cure}")
    try:
        frame = pl.read_parquet(path)
        frame.get_column("user")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DamagedError(f"{path}: is damaged ({str(error).splitlines()[0]}); {cure}") from None
    return frame
