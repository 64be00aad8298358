"""Write a synthetic interaction log of any size, in chunks.

    python benchmarks/synthetic.py log.parquet --users 100000 --items 10000 --interactions 1000000
    python benchmarks/synthetic.py log.csv --users 1000 --items 500 --interactions 20000 --seed 1

There are popular and rare items, busy and quiet users, and string ids. Rows are in time order with
users interleaved, as a shop writes them. Chunk n depends only on (seed, n) and the sizes, so a log
does not depend on how it is written, and memory not on the number of interactions.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.io.plugins import register_io_source

CHUNK = 1 << 20
SCHEMA = {"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64}
FIRST, SPAN = 1_600_000_000, 2 * 365 * 86_400  # two years of seconds
SURE = 3  # events of every user, if there are enough, so that leave-one-out can test all users
USER_SKEW, ITEM_SKEW = 2.0, 4.0
Integers = npt.NDArray[np.int64]


@final
@dataclass(frozen=True)
class Shape:
    """The size of a log; ids are numbered from 0: ``user-0000042``, ``item-0000007``."""

    users: int
    items: int
    interactions: int
    seed: int = 0


def main() -> None:
    """Write the log that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", type=Path, help="a .parquet or .csv file")
    for name in ("users", "items", "interactions"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    write_log(**vars(options))


def write_log(
    path: Path | str, *, users: int, items: int, interactions: int, seed: int = 0
) -> None:
    """Write a log with user_id, item_id (strings) and timestamp to a .parquet or .csv file."""
    path, shape = Path(path), Shape(users, items, interactions, seed)
    if path.suffix not in (".parquet", ".csv"):
        raise SystemExit(f"{path}: unknown file type; give a .parquet or .csv path")
    if min(users, items, interactions) < 1:
        raise SystemExit(f"{shape}: users, items and interactions must be positive")
    frame = register_io_source(lambda *wishes: chunks(shape, *wishes), schema=SCHEMA)
    (frame.sink_parquet if path.suffix == ".parquet" else frame.sink_csv)(path)


def chunks(
    shape: Shape, columns: Any, predicate: Any, rows: int | None, size: int | None
) -> Iterator[pl.DataFrame]:
    """Yield the log as frames; `predicate`, `rows` and `size` are arguments that polars passes."""
    names = [name_table("user", shape.users), name_table("item", shape.items)]
    for number, start in enumerate(range(0, shape.interactions, CHUNK)):
        row = np.arange(start, min(start + CHUNK, shape.interactions))
        user, item, time = events(shape, number, row)
        frame = pl.DataFrame(
            {"user_id": names[0].gather(user), "item_id": names[1].gather(item), "timestamp": time}
        )
        yield frame.select(columns or list(SCHEMA))


def events(shape: Shape, number: int, row: Integers) -> tuple[Integers, Integers, Integers]:
    """Return users, items and times of the rows of a chunk.

    A fixed share of the rows, evenly spread, goes round all users in turn, so that each user has
    events. In the other rows, ``P(place) ~ place^(1/skew - 1)`` for users and items.
    """
    rng = np.random.default_rng([shape.seed, number])
    sure = min(SURE, shape.interactions // shape.users) * shape.users
    # Evenly spread rows are sure: those where the number of sure rows so far increases.
    before, after = (row * sure) // shape.interactions, ((row + 1) * sure) // shape.interactions
    other = places(rng, len(row), shape.users, USER_SKEW)
    user = np.where(before < after, before % shape.users, other)
    item = places(rng, len(row), shape.items, ITEM_SKEW)
    # Up to ten minutes late, as clients may report.
    seconds = (row * SPAN) // shape.interactions + rng.integers(0, 600, len(row))
    return scatter(user, shape.users), scatter(item, shape.items), FIRST + seconds


def places(rng: np.random.Generator, count: int, size: int, skew: float) -> Integers:
    """Draw places in 0..size - 1, of which low ones are the most frequent."""
    return np.minimum(size * rng.random(count) ** skew, size - 1).astype(np.int64)


def scatter(place: Integers, size: int) -> Integers:
    """Map places one to one to numbers that are unrelated to popularity."""
    # Multiplication modulo `size` is one to one if the factor has no divisor in common with it.
    factor = int(size * 0.6180339887) | 1
    while math.gcd(factor, size) > 1:
        factor += 2
    return (place * factor) % size


def name_table(kind: str, size: int) -> pl.Series:
    """Return ``user-0000000``, ``user-0000001``, ..."""
    number = pl.int_range(size).cast(pl.String).str.zfill(7)
    return pl.select(pl.format(kind + "-{}", number)).to_series().alias(kind)


if __name__ == "__main__":
    main()
