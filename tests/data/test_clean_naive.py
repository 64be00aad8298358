"""Cleaning against plain Python over a few thousand rows: same rows, same order, same reasons."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidrec.data.clean import CleanLog, Rules, clean
from solidrec.data.readers import read_table
from solidrec.errors import DataError

Row = tuple[int, str | None, str | None, str | None, str | None]
COLUMNS = ["user", "item", "timestamp", "rating"]


def random_rows(seed: int, *, bad: float = 0.03) -> list[Row]:
    """Return (file row, user, item, time, rating) with ties, duplicates, rare ids and bad rows."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for number in range(4000):
        user = f"ü{int(100 * rng.random() ** 2)}"
        time = str(rng.choice([rng.randrange(6), 10**12 + rng.randrange(3), -5]))
        values: list[str | None] = [
            user,
            f"item {int(80 * rng.random() ** 3)}",
            time,
            str(rng.randrange(1, 6)),
        ]
        if rng.random() < 0.2 and rows:
            values = list(rng.choice(rows)[1:])
        if rng.random() < bad:
            values[rng.randrange(4)] = rng.choice([None, "  ", "x\ty", "long" * 70, "1.5 h", "nan"])
        rows.append((number, *values))  # type: ignore[arg-type]
    return rows


def naive_reason(row: Row, *, rated: bool) -> str | None:
    _, user, item, time, rating = row
    for role, name in (("user", user), ("item", item)):
        if name is None or not name.strip():
            return f"null_{role}"
        if "\t" in name:
            return f"control_{role}"
        if len(name.encode()) > 256:
            return f"long_{role}"
    for role, value in (("time", time), ("rating", rating))[: 1 + rated]:
        if value is None or not value.strip():
            return f"null_{role}"
        if value in ("x\ty", "long" * 70, "nan", "1.5 h"):
            return f"bad_{role}"
    return None


def naive_clean(
    rows: list[Row], rules: Rules
) -> tuple[list[tuple[str, str, int]], dict[str, int], list[tuple[int, str]]]:
    """Return the log, what each rule dropped and the rejected file rows with their reasons."""
    rated = rules.min_rating is not None
    if rules.order == "file":
        rows = [(number, user, item, str(number), rating) for number, user, item, _, rating in rows]
    rejected = [(row[0], reason) for row in rows if (reason := naive_reason(row, rated=rated))]
    refused = {number for number, _ in rejected}
    left: list[Any] = [row for row in rows if row[0] not in refused]
    left = [(user, item, int(time), rating) for _, user, item, time, rating in left]
    dropped = {}

    def keep(name: str, rows: list[Any], fine: Callable[[Any], bool]) -> list[Any]:
        kept = [row for row in rows if fine(row)]
        if len(kept) < len(rows):
            dropped[name] = dropped.get(name, 0) + len(rows) - len(kept)
        return kept

    left = keep(
        "below_min_rating", left, lambda row: not rated or float(row[3]) >= (rules.min_rating or 0)
    )
    if rules.duplicates == "drop" and rules.order != "file":
        seen = set[Any]()
        left = keep(
            "exact_duplicate", left, lambda row: row[:3] not in seen and not seen.add(row[:3])
        )  # type: ignore[func-returns-value]
    while rules.k_core:
        users, items = Counter(row[0] for row in left), Counter(row[1] for row in left)
        core = keep("k_core", left, lambda row: min(users[row[0]], items[row[1]]) >= rules.k_core)  # noqa: B023
        if len(core) == len(left):
            break
        left = core
    tie: Callable[[Any], Any] = (lambda row: row[1]) if rules.ties == "item" else (lambda row: 0)
    left.sort(key=lambda row: (row[0], row[2], tie(row)))
    return [row[:3] for row in left], dropped, rejected


def told(found: CleanLog) -> list[tuple[str, str, int]]:
    users, items = found.users.gather(found.user - 1), found.items.gather(found.item - 1)
    return list(zip(users.to_list(), items.to_list(), found.time.tolist(), strict=True))


def as_source(rows: list[Row], folder: Path, kind: str) -> Any:
    frame = pl.DataFrame(
        [row[1:] for row in rows], schema=dict.fromkeys(COLUMNS, pl.String), orient="row"
    )
    if kind == "frame":
        return frame
    path = folder / f"log.{kind}"
    if kind == "parquet":
        frame.write_parquet(path, row_group_size=700)
    else:
        content = frame.write_csv().encode()
        path.write_bytes(gzip.compress(content) if kind.endswith("gz") else content)
    return path


RULES: list[dict[str, Any]] = [
    {},
    {"ties": "item"},
    {"k_core": 6, "min_rating": 2.5},
    {"k_core": 7, "ties": "item", "duplicates": "keep"},
    {"order": "file"},
]


@pytest.mark.parametrize("kind", ["frame", "csv", "csv.gz", "parquet"])
@pytest.mark.parametrize("given", RULES, ids=str)
def test_cleaning_is_what_plain_python_does(
    tmp_path: Path, kind: str, given: dict[str, Any]
) -> None:
    rows = random_rows(len(kind))
    rules = Rules(on_bad_row="quarantine", max_bad_fraction=1.0, **given)
    table = read_table(as_source(rows, tmp_path, kind))
    found = clean(table, columns={}, rules=rules)
    log, dropped, rejected = naive_clean(rows, rules)
    assert told(found) == log
    assert found.dropped == dropped
    assert found.rejected.select("row", "reason").rows() == [
        (row + table.first_row, reason) for row, reason in rejected
    ]
    assert len({reason for _, reason in rejected}) >= 6  # or the rows above would prove little
    assert found.users.to_list() == sorted({user for user, _, _ in log})
    assert found.items.to_list() == sorted({item for _, item, _ in log})
    raw = {row[0]: row[1:4] for row in rows}
    kept = [raw[row - table.first_row] for row in found.rejected["row"]]
    assert found.rejected["user"].to_list() == [user or None for user, _, _ in kept]


@pytest.mark.parametrize("kind", ["frame", "csv"])
def test_duplicates_are_named_by_their_rows_in_the_file(tmp_path: Path, kind: str) -> None:
    rows = random_rows(0)
    table = read_table(as_source(rows, tmp_path, kind))
    bad = {row for row, _ in naive_clean(rows, Rules())[2]}
    seen, again = set[Any](), []
    for row in rows:
        if row[0] not in bad:
            again += [row[0]] if row[1:4] in seen else []
            seen.add(row[1:4])
    shown = ", ".join(f"{table.name}:{row + table.first_row}" for row in again[:20])
    with pytest.raises(DataError) as caught:
        clean(
            table,
            columns={},
            rules=Rules(duplicates="error", on_bad_row="quarantine", max_bad_fraction=1.0),
        )
    assert f"{len(again):,} exact duplicates: {shown}; remove" in str(caught.value)


def test_a_source_that_changes_between_two_readings_is_refused() -> None:
    first = pl.DataFrame({"user": ["a", None, "b"], "item": ["x"] * 3, "timestamp": [1, 2, 3]})
    readings = iter([first, first.fill_null("c")])
    table = read_table(pl.defer(lambda: next(readings), schema=first.schema))
    with pytest.raises(DataError, match="LazyFrame: holds other rows when it is read again"):
        clean(table, columns={}, rules=Rules())
