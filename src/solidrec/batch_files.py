"""Files of histories as input; files of recommendations or vectors as output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from solidrec.api import Model
from solidrec.artifacts import write_table
from solidrec.console import console, counted
from solidrec.errors import DataError, UsageError

_ANSWERS = {
    "user": pl.String,
    "rank": pl.Int32,
    "item": pl.String,
    "score": pl.Float64,
    "title": pl.String,
}


def _as_histories(frame: pl.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return users and histories from a list column ``history`` or from rows of one event each.

    Events have the columns user and item and are in order. Raises `UsageError` for other columns.

    >>> _as_histories(pl.DataFrame({"user": ["a", "a", "b"], "item": ["1", "2", "1"]}))
    (['a', 'b'], [['1', '2'], ['1']])
    """
    user = next((name for name in ("user", "user_id") if name in frame.columns), None)
    item = next((name for name in ("item", "item_id") if name in frame.columns), None)
    if "history" in frame.columns:
        lists = frame["history"]
        if not isinstance(lists.dtype, (pl.List, pl.Array)):
            raise UsageError(
                f"the 'history' column holds {lists.dtype}; "
                "a list of item ids is needed in each row"
            )
        users = frame[user].cast(pl.String).to_list() if user else list(map(str, range(len(frame))))
        return users, lists.cast(pl.List(pl.String)).fill_null([]).list.drop_nulls().to_list()
    if user is None or item is None:
        raise UsageError(
            "a batch needs a 'history' list column, or 'user' and 'item' columns; "
            f"found {', '.join(frame.columns)}"
        )
    grouped = frame.group_by(pl.col(user).cast(pl.String).alias("user"), maintain_order=True).agg(
        pl.col(item).cast(pl.String).drop_nulls()
    )
    return grouped["user"].to_list(), grouped[item].to_list()


def _read_batch(path: Path) -> tuple[list[str], list[list[str]]]:
    """Read users and histories from a Parquet file, or raise `DataError` if it cannot be read."""
    try:
        return _as_histories(pl.read_parquet(path, glob=False))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]})"
        ) from None


def recommend_file(
    model: Model, batch: Path, out: Path, k: int, *, keep_history: bool = False
) -> dict[str, int]:
    """Write user, rank, item, score and title for each history of a file and return the counts."""
    users, histories = _read_batch(batch)
    rows: dict[str, list[Any]] = {name: [] for name in _ANSWERS}
    fallbacks = ignored = 0
    with counted(console, "recommend", len(users), shown=True) as step:
        for start in range(0, len(users), 1024):
            part = slice(start, start + 1024)
            answers = model.recommend_many(histories[part], k, keep_history=keep_history)
            for user, answer in zip(users[part], answers, strict=True):
                fallbacks += answer.fallback is not None
                ignored += len(answer.ignored)
                for rank, item in enumerate(answer.items, start=1):
                    for name, value in (("user", user), ("rank", rank), *item.items()):
                        rows[name].append(value)
            step(len(users[part]))
    write_table(out, pl.DataFrame(rows, schema=_ANSWERS))
    counts = {"users": len(users), "rows": len(rows["user"])}
    return counts | {"fallbacks": fallbacks, "ignored": ignored}


def export_items(model: Model, out: Path) -> int:
    """Write item and vector as Parquet and return the number of items."""
    frame = model.engine.item_vectors()
    write_table(out, frame)
    return len(frame)


def export_users(model: Model, batch: Path, out: Path) -> int:
    """Write user and vector for the histories of a Parquet file and return the number of users."""
    users, histories = _read_batch(batch)
    frame = pl.DataFrame({"user": users, "vector": model.engine.user_vectors(histories)})
    write_table(out, frame)
    return len(frame)
