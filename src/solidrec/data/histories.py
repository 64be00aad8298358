"""Histories to answer: from a log, from a table with a list in each row, or from prepared data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from solidrec.artifacts import MANIFEST
from solidrec.data.clean import Rules, clean
from solidrec.data.columns import INTERACTIONS, check_kinds, entry_kinds, find_columns, id_column
from solidrec.data.prepared import PreparedData
from solidrec.data.readers import read_table
from solidrec.data.sequences import SEQUENCES
from solidrec.data.table import Table
from solidrec.errors import DataError, UsageError

HISTORY = "history"


def read_histories(
    source: Path, *, columns: Mapping[str, str | None] | None = None, encoding: str = "utf-8"
) -> pl.DataFrame:
    """Return ``user`` and ``history``, a list of item ids, oldest first, for every user.

    `source` is a folder of `prepare` (all events of all its users) or a file that `read_table`
    reads: a log, sorted and checked as `prepare` does it, or a table whose column *history* holds a
    list in each row, whose users are numbered from 0 if it names none. A log without times is in
    order. `columns` names columns by role, as in `clean`. Raises as `clean` does, and `UsageError`
    for a table that is neither.
    """
    if (source / MANIFEST).is_file():
        data = PreparedData.open(source)
        sizes = np.diff(data.offsets)[1:]
        users = np.repeat(np.arange(1, len(data.users) + 1), sizes)
        return _grouped(users, data.users.series, data.items.series.gather(data.event_items - 1))
    table = read_table(source, encoding=encoding)
    if HISTORY in table.columns:
        return _lists(table, columns or {})
    return _log(table, columns or {})


def _log(table: Table, columns: Mapping[str, str | None]) -> pl.DataFrame:
    """Return the histories of a log."""
    roles = find_columns(table, INTERACTIONS | SEQUENCES, columns, required=())
    if "user" not in roles or not roles.keys() & {"item", "sequence"}:
        raise UsageError(
            f"{table.name}: a 'history' column of lists is needed, or a user and an item column; "
            f"found {', '.join(table.columns)}; name them with --user-column and --item-column"
        )
    timed = roles.keys() & {"time", "position"}
    log = clean(table, columns=columns, rules=Rules(order="auto" if timed else "file"))
    return _grouped(log.user, log.users, log.items.gather(log.item - 1))


def _grouped(users: np.ndarray, names: pl.Series, items: pl.Series) -> pl.DataFrame:
    """Return one row a user from the user numbers (N,), from 1, and item ids of sorted events."""
    events = pl.DataFrame({"user": users, HISTORY: items})
    lists = events.group_by("user", maintain_order=True).agg(HISTORY)
    return lists.with_columns(names.gather(lists["user"] - 1).alias("user"))


def _lists(table: Table, columns: Mapping[str, str | None]) -> pl.DataFrame:
    """Return the histories of a table with one in each row."""
    user = find_columns(table, INTERACTIONS, columns, required=()).get("user")
    dtype = table.dtype(HISTORY)
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else None
    if inner is None:
        raise UsageError(
            f"{table.name}: the 'history' column holds {dtype}; a list of item ids is needed in "
            "each row (jsonl or Parquet)"
        )
    if not (inner.is_integer() or inner in (pl.String, pl.Categorical, pl.Enum, pl.Null)):
        raise DataError(
            f"{table.name}: the lists of 'history' hold {inner}, ids are strings or integers; "
            "whole numbers may have been rounded; write the ids as strings"
        )
    kinds = entry_kinds(table.kinds.get(HISTORY, {}))
    check_kinds(f"{table.name}: the 'history' column", kinds)
    who = id_column(table, user, "user") if user else pl.int_range(pl.len()).cast(pl.String)
    found = table.collect(
        who.alias("user"),
        pl.col(HISTORY).cast(pl.List(pl.String)).fill_null(pl.lit([], pl.List(pl.String))),
    )
    empty = pl.element().is_null() | (pl.element().str.strip_chars() == "")
    for column, bad in (
        ("user", found["user"].is_null()),
        (HISTORY, found.select(pl.col(HISTORY).list.eval(empty).list.any()).to_series()),
    ):
        if bad.any():
            raise DataError(
                f"{table.place(int(bad.arg_true()[0]))}: {column!r} has an empty id; remove it "
                f"({bad.sum():,} such rows)"
            )
    return found
