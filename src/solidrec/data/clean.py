"""Turn raw rows into a clean log: every row is kept, rejected with a reason, or dropped by a named rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np
import polars as pl

from solidrec.data.columns import INTERACTIONS, find_columns, id_column, number_column
from solidrec.data.readers import Table
from solidrec.errors import DataError, SolidrecError, UsageError

MAX_ID_BYTES = 256
SHOWN = 20
WHY = {"bad_time": ", not a whole number", "bad_rating": ", not a number"}
MAX_EXACT = 2**53


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


@final
@dataclass(frozen=True)
class CleanLog:
    """A clean log, `log` with columns user, item (strings), time (int64) in final order, and the account of every row."""

    log: pl.DataFrame
    order: str
    rejected: pl.DataFrame
    rows_in: int
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def rows(self) -> dict[str, object]:
        """The account: ``{"in", "kept", "rejected": {reason: n}, "dropped": {rule: n}}``."""
        reasons = dict(self.rejected.group_by("reason").len().sort("reason").iter_rows())
        account = {"in": self.rows_in, "kept": len(self.log), "rejected": reasons, "dropped": self.dropped}
        if self.rows_in != len(self.log) + sum(reasons.values()) + sum(self.dropped.values()):
            raise SolidrecError(f"rows do not add up: {account}; please report this")
        return account


def clean(table: Table, *, columns: Mapping[str, str | None], rules: Rules) -> CleanLog:
    """Read a table of interactions and return its clean log, ordered by (user, time, tie rule).

    A row is rejected for a null, overlong or unprintable id or for a number that is none (reasons
    ``null_user``, ``bad_time``, ...): in strict mode that is a `DataError` listing the rows, with quarantine
    they are set aside. Then the rules ``below_min_rating``, ``exact_duplicate`` and ``k_core`` drop rows.
    """
    roles = find_columns(
        table, INTERACTIONS, columns, required=("user", "item", *(("rating",) if rules.min_rating is not None else ()))
    )
    order = _order(table, roles, rules)
    raw = _raw(table, roles, order)
    if raw.is_empty():
        raise DataError(f"{table.name}: has a header but no rows; give a file with interactions")
    reasons = _reasons(raw, rated=rules.min_rating is not None)
    rejected = raw.with_columns(reason=reasons).filter(pl.col("reason").is_not_null())
    _judge(rejected, len(raw), table, rules)
    log = raw.filter(reasons.is_null()).with_columns(time=_integer(raw))
    log, dropped = _apply(log, order, table, rules)
    keys = ["user", "time"] + (["item"] if rules.ties == "item" else [])
    log = log.sort(keys, maintain_order=True).select("user", "item", "time")
    return CleanLog(log, order, rejected.with_columns(pl.col("row") + table.first_row), len(raw), dropped)


def _order(table: Table, roles: Mapping[str, str], rules: Rules) -> str:
    if rules.order == "file":
        return "file"
    for role, name in (("time", "timestamp"), ("position", "position")):
        if role in roles:
            return name
    names = ", ".join(INTERACTIONS["time"] + INTERACTIONS["position"])
    raise UsageError(
        f"{table.name}: no time column (looked for {names}; columns found: {', '.join(table.columns)}); "
        "name it with --time-column NAME, or say --order file if the rows are in order"
    )


def _raw(table: Table, roles: Mapping[str, str], order: str) -> pl.DataFrame:
    """Read the needed columns as user, item, time, rating (as in the file) and row (0-based)."""
    key = {"timestamp": "time", "position": "position"}.get(order)
    time = number_column(table, roles[key], "time") if key else pl.int_range(pl.len(), dtype=pl.Int64).alias("time")
    rating = [number_column(table, roles["rating"], "rating")] if "rating" in roles else []
    ids = [id_column(table, roles[role], role) for role in ("user", "item")]
    return table.collect(*ids, time, *rating).with_row_index("row")


def _integer(raw: pl.DataFrame) -> pl.Expr:
    """Return the time column as int64, null where it is not exactly a whole number."""
    exact, dtype = pl.col("time").cast(pl.Int64, strict=False), raw.schema["time"]
    if dtype.is_integer():
        return exact
    number = pl.col("time").cast(pl.Float64, strict=False)
    whole = (number == number.floor()) & (number.abs() < MAX_EXACT)
    rounded = pl.when(whole).then(number).cast(pl.Int64, strict=False)
    return pl.coalesce(exact, rounded) if dtype == pl.String else rounded


def _reasons(raw: pl.DataFrame, *, rated: bool) -> pl.Series:
    """Return, for each row, the first reason to reject it, or null."""
    checks: list[tuple[str, pl.Expr]] = []
    for role in ("user", "item"):
        name = pl.col(role)
        checks += [
            (f"null_{role}", name.is_null() | (name.str.strip_chars() == "")),
            (f"control_{role}", name.str.contains(r"\p{Cc}")),
            (f"long_{role}", name.str.len_bytes() > MAX_ID_BYTES),
        ]
    checks += [("null_time", _blank("time", raw)), ("bad_time", _integer(raw).is_null())]
    if rated:
        number = pl.col("rating").cast(pl.Float64, strict=False)
        checks += [("null_rating", _blank("rating", raw)), ("bad_rating", ~number.is_finite().fill_null(False))]
    reason = pl.coalesce([pl.when(bad).then(pl.lit(name)) for name, bad in checks])
    return raw.select(reason=reason.cast(pl.String))["reason"]


def _blank(column: str, raw: pl.DataFrame) -> pl.Expr:
    empty = pl.col(column).str.strip_chars() == "" if raw.schema[column] == pl.String else pl.lit(False)
    return pl.col(column).is_null() | empty


def _judge(rejected: pl.DataFrame, rows: int, table: Table, rules: Rules) -> None:
    """Raise for bad rows in strict mode, and for too many of them in quarantine."""
    if rejected.is_empty():
        return
    listing = "; ".join(_listing(group, table) for (_,), group in rejected.group_by("reason", maintain_order=True))
    if rules.on_bad_row == "strict":
        raise DataError(
            f"{table.name}: {len(rejected):,} bad rows: {listing}; repair them or set them aside with --on-bad-row quarantine"
        )
    if len(rejected) > rules.max_bad_fraction * rows:
        share = f"{len(rejected):,} of {rows:,} rows are bad, more than --max-bad-fraction {rules.max_bad_fraction}"
        raise DataError(f"{table.name}: {share}: {listing}; repair the file or raise the fraction")


def _listing(group: pl.DataFrame, table: Table) -> str:
    """Return ``null_user (2): file.csv:5, file.csv:9`` for the rows of one reason, with the value where there is one."""
    reason = str(group["reason"][0])
    role = reason.partition("_")[2]
    rows = group.head(SHOWN).select("row", role).iter_rows()
    shown = [
        f"{table.name}:{row + table.first_row}" + (f" {str(value)[:40]!r}" if reason.startswith("bad") else "")
        for row, value in rows
    ]
    more = ", ..." if len(group) > SHOWN else ""
    return f"{reason} ({len(group):,}{WHY.get(reason, '')}): {', '.join(shown)}{more}"


def _apply(log: pl.DataFrame, order: str, table: Table, rules: Rules) -> tuple[pl.DataFrame, dict[str, int]]:
    """Apply the named rules in order and count what each drops; ratings go first so that row order cannot matter."""
    steps = [("below_min_rating", _min_rating), ("exact_duplicate", _duplicates), ("k_core", _k_core)]
    dropped: dict[str, int] = {}
    for name, rule in steps:
        kept = rule(log, order, table, rules)
        if len(kept) < len(log):
            dropped[name] = len(log) - len(kept)
        if kept.is_empty():
            last = name if dropped else "the check of bad rows"
            raise DataError(f"{table.name}: no rows are left after {last} ({len(log):,} rows before); loosen it")
        log = kept
    return log, dropped


def _min_rating(log: pl.DataFrame, order: str, table: Table, rules: Rules) -> pl.DataFrame:
    if rules.min_rating is None:
        return log
    return log.filter(pl.col("rating").cast(pl.Float64) >= rules.min_rating)


def _duplicates(log: pl.DataFrame, order: str, table: Table, rules: Rules) -> pl.DataFrame:
    """Keep the first of rows that agree in user, item and time; without times a repeat may be a second visit."""
    if rules.duplicates == "keep" or order == "file":
        return log
    kept = log.unique(["user", "item", "time"], keep="first", maintain_order=True)
    if rules.duplicates == "error" and len(kept) < len(log):
        again = log.join(kept.select("row"), on="row", how="anti").head(SHOWN)["row"]
        rows = ", ".join(f"{table.name}:{row + table.first_row}" for row in again)
        raise DataError(f"{table.name}: {len(log) - len(kept):,} exact duplicates: {rows}; remove them or use --duplicates drop")
    return kept


def _k_core(log: pl.DataFrame, order: str, table: Table, rules: Rules) -> pl.DataFrame:
    """Drop users and items with fewer than k rows until none is left to drop."""
    if rules.k_core <= 1:
        return log
    users = log["user"].rank("dense").to_numpy().astype(np.int64)
    items = log["item"].rank("dense").to_numpy().astype(np.int64)
    keep = np.ones(len(log), dtype=bool)
    while True:
        enough = (np.bincount(users[keep], minlength=users.max() + 1) >= rules.k_core)[users]
        enough &= (np.bincount(items[keep], minlength=items.max() + 1) >= rules.k_core)[items]
        if (keep <= enough).all():
            return log.filter(keep)
        keep &= enough
