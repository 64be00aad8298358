"""Clean a log: keep every raw row, reject it with a reason, or drop it by a named rule.

Only numbers are held for every row: ids are numbered as they are read, and each distinct id is
checked once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np
import numpy.typing as npt
import polars as pl

from solidrec.data.columns import INTERACTIONS, find_columns, names_shown
from solidrec.data.order import lexical_order, repeats
from solidrec.data.read_log import read_log
from solidrec.data.reject import SHOWN, bad_rows, judge, located, read_rejected
from solidrec.data.sequences import unrolled
from solidrec.data.table import Table
from solidrec.data.time_notes import time_notes
from solidrec.data.times import Reading
from solidrec.errors import DataError, SolidrecError, UsageError

_Index = npt.NDArray[np.int32]
_Times = npt.NDArray[np.int64]


@final
@dataclass(frozen=True)
class Rules:
    """The rules of cleaning; see `clean`."""

    order: Literal["auto", "file"] = "auto"
    ties: Literal["input", "item"] = "input"
    duplicates: Literal["keep", "drop", "error"] = "drop"
    min_rating: float | None = None
    k_core: int = 0
    on_bad_row: Literal["strict", "quarantine"] = "strict"
    max_bad_fraction: float = 0.01
    time_format: str | None = None


@final
@dataclass(frozen=True)
class CleanLog:
    """A clean log in final order, and the account of every row.

    `users` and `items` are the sorted ids, numbered from 1 by `user` and `item`; `user`, `item` and
    `time` are (N,). `split` (N,) is 0 in training, 1 in validation and 2 in tests, where the log
    says so.
    """

    users: pl.Series
    items: pl.Series
    user: _Index
    item: _Index
    time: _Times
    order: str
    rejected: pl.DataFrame
    rows_in: int
    dropped: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    split: npt.NDArray[np.int8] | None = None

    @property
    def rows(self) -> dict[str, object]:
        """The account: ``{"in", "kept", "rejected": {reason: n}, "dropped": {rule: n}}``."""
        rejected = dict(self.rejected.group_by("reason").len().sort("reason").iter_rows())
        account = {
            "in": self.rows_in,
            "kept": len(self.time),
            "rejected": rejected,
            "dropped": self.dropped,
        }
        if self.rows_in != len(self.time) + sum(rejected.values()) + sum(self.dropped.values()):
            raise SolidrecError(f"rows do not add up: {account}; please report this")
        return account


def clean(table: Table, *, columns: Mapping[str, str | None], rules: Rules) -> CleanLog:
    """Return the clean log of a table of interactions, ordered by (user, time, tie rule).

    A row is rejected for a null, overlong or unprintable id, or for a time or rating that is not a
    number (reasons ``null_user``, ``bad_time``, ...). In strict mode this raises a `DataError` that
    lists the rows; with quarantine the rows are set aside. Then the rules ``below_min_rating``,
    ``exact_duplicate`` and ``k_core`` drop rows.
    """
    table, columns, ordered = unrolled(table, columns)
    roles = find_columns(
        table,
        INTERACTIONS,
        columns,
        required=("user", "item", *(("rating",) if rules.min_rating is not None else ())),
    )
    order = _order(table, roles, rules, ordered=ordered)
    log, rejected, rows_in, way = _judged(table, roles, order, rules)
    left = _Left(table, len(log))
    if rules.min_rating is not None:
        log = log.filter("enough")
    left.after("below_min_rating", len(log))

    users, user = _index(log.drop_in_place("user"))
    items, item = _index(log.drop_in_place("item"))
    time = log.drop_in_place("time").to_numpy()
    split = [log.drop_in_place("split").to_numpy()] if "split" in log.columns else []
    # sort all rows by user, then time, then part of a given split, then (if ties go so) item
    place = lexical_order(user, time, *split, *((item,) if rules.ties == "item" else ()))
    user, item, time, *split = (part[place] for part in (user, item, time, *split))
    # without times, a repeated row may be a second visit
    if rules.duplicates != "keep" and order != "file":
        again = repeats(_starts(user) | _starts(time), item)
        if rules.duplicates == "error" and again.any():
            raise _duplicated(log["row"].to_numpy()[place[again]], table)
        user, item, time, *split = (part[~again] for part in (user, item, time, *split))
    left.after("exact_duplicate", len(time))
    if rules.k_core > 1:
        core = _k_core(user, item, rules.k_core)
        left.after("k_core", int(np.count_nonzero(core)))
        users, user = _without_gaps(users, user[core])
        items, item = _without_gaps(items, item[core])
        time, split = time[core], [part[core] for part in split]
    rejected = located(rejected, table)
    notes = _notes(table, way, time) if order == "timestamp" else ()
    counts = (rejected, rows_in, left.dropped, notes)
    return CleanLog(users, items, user, item, time, order, *counts, next(iter(split), None))


def _judged(
    table: Table, roles: Mapping[str, str], order: str, rules: Rules
) -> tuple[pl.DataFrame, pl.DataFrame, int, Reading]:
    """Return the good rows of a log, the bad ones unless too many, their sum and its times' kind.

    Nothing else of the log is kept in memory.
    """
    raw = read_log(
        table,
        roles,
        key={"timestamp": "time", "position": "position"}.get(order),
        time_format=rules.time_format,
        min_rating=rules.min_rating,
        numbered=rules.duplicates == "error",
    )
    log = raw.rows
    if log.is_empty():
        raise DataError(f"{table.name}: has a header but no rows; give a file with interactions")
    bad = bad_rows(log)
    rejected = read_rejected(
        table, raw.needed, bad, rated=rules.min_rating is not None, time=raw.times.read("time")
    )
    judge(
        rejected, len(log), table, None if rules.on_bad_row == "strict" else rules.max_bad_fraction
    )
    return log.filter(~bad) if len(rejected) else log, rejected, len(log), raw.times


def _order(table: Table, roles: Mapping[str, str], rules: Rules, *, ordered: bool) -> str:
    """Return what orders the rows; lists of items are `ordered` as they are."""
    if rules.order == "file" or (ordered and "time" not in roles):
        return "file"
    for role, name in (("time", "timestamp"), ("position", "position")):
        if role in roles:
            return name
    names = ", ".join(INTERACTIONS["time"] + INTERACTIONS["position"])
    raise UsageError(
        f"{table.name}: no time column (looked for {names}; "
        f"columns found: {names_shown(table.columns)}); "
        "name it with --time-column NAME, or say --order file if the rows are in order"
    )


def _notes(table: Table, way: Reading, time: _Times) -> tuple[str, ...]:
    """Return notes on the times that are kept."""
    said = [way.note] if way.note else []
    said += time_notes(time, per_second=way.per_second)
    return tuple(f"{table.name}: {note}" for note in said)


@final
class _Left:
    """Counter of the rows that each rule drops; `DataError` names a rule that leaves none."""

    def __init__(self, table: Table, rows: int) -> None:
        self.table, self.rows = table, rows
        self.dropped: dict[str, int] = {}

    def after(self, name: str, rows: int) -> None:
        if rows < self.rows:
            self.dropped[name] = self.rows - rows
        if not rows:
            last = name if self.dropped else "the check of bad rows"
            raise DataError(
                f"{self.table.name}: no rows are left after {last} ({self.rows:,} rows before); "
                "loosen it"
            )
        self.rows = rows


def _index(column: pl.Series) -> tuple[pl.Series, _Index]:
    """Return the sorted ids of a categorical column, and the number of each row's id, from 1."""
    found = column.unique()
    names = found.cast(pl.String)
    order = names.arg_sort()
    # the category codes of the sorted ids, and the table from code to number
    codes = found.to_physical().gather(order).to_numpy()
    number = np.zeros(int(codes.max()) + 1, dtype=np.int32)
    number[codes] = np.arange(1, len(codes) + 1)
    return names.gather(order), number[column.to_physical().to_numpy()]


def _without_gaps(names: pl.Series, index: _Index) -> tuple[pl.Series, _Index]:
    """Renumber, from 1, the ids that still occur."""
    occurs = np.zeros(len(names) + 1, dtype=bool)
    occurs[index] = True
    return names.filter(pl.Series(occurs[1:])), np.cumsum(occurs, dtype=np.int32)[index]


def _starts(column: npt.NDArray[np.int32] | _Times) -> npt.NDArray[np.bool_]:
    """Return a mask of the rows that differ from the row before."""
    return np.append(True, column[1:] != column[:-1])


def _duplicated(rows: npt.NDArray[np.uint32], table: Table) -> DataError:
    shown = ", ".join(map(str, table.places(np.sort(rows)[:SHOWN].tolist())))
    return DataError(
        f"{table.name}: {len(rows):,} exact duplicates: {shown}; remove them or use --duplicates "
        "drop"
    )


def _k_core(user: _Index, item: _Index, k: int) -> npt.NDArray[np.bool_]:
    """Return a mask of the rows left after repeatedly dropping users and items of under k rows."""
    keep = np.ones(len(user), dtype=bool)
    while True:  # dropping a user can make an item rare, and the other way round
        enough = (np.bincount(user[keep], minlength=user.max() + 1) >= k)[user]
        enough &= (np.bincount(item[keep], minlength=item.max() + 1) >= k)[item]
        if (keep <= enough).all():
            return keep
        keep &= enough
