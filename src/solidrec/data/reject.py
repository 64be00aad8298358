"""Find the unusable rows of a log, and report them with file, row, value and cure.

They are read a second time, so that messages can show their values.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from solidrec.data.table import Table
from solidrec.errors import DataError

_MAX_ID_BYTES = 256
_SMALL_FLOATS = ((pl.Float16, 2**11), (pl.Float32, 2**24))
_MAX_EXACT = 2**53
SHOWN = 20
_WHY = {
    "bad_time": ", neither a whole number nor a date",
    "rounded_time": ", more than this type of float can tell apart",
    "bad_rating": ", not a number",
    "bad_split": ", neither train, valid nor test",
}
PARTS = {"train": 0, "valid": 1, "val": 1, "validation": 1, "dev": 1, "test": 2}
"""What the column of a given split says of an event, and its number."""
_Check = tuple[str, pl.Expr]


def id_checks(role: str) -> list[_Check]:
    """Return the reasons to reject an id of column `role`, each with the expression to test it."""
    name = pl.col(role)
    return [
        (f"null_{role}", name.is_null() | (name.str.strip_chars() == "")),
        (f"control_{role}", name.str.contains(r"\p{Cc}")),
        (f"long_{role}", name.str.len_bytes() > _MAX_ID_BYTES),
    ]


def exact_below(dtype: pl.DataType) -> int:
    """Return the least whole number that a float of the type may have been rounded to.

    >>> exact_below(pl.Float32()) == 2**24
    True
    """
    return next((limit for small, limit in _SMALL_FLOATS if dtype == small), _MAX_EXACT)


def whole_number(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as int64, null where it is not exactly a whole number.

    Above 2^24, whole numbers of 32 bits may have been rounded, so they are null too.
    """
    value = pl.col(column)
    if dtype.is_integer():
        return value.cast(pl.Int64, strict=False)
    number = value.cast(pl.Float64, strict=False)
    whole = (number == number.floor()) & (number.abs() < exact_below(dtype))
    rounded = pl.when(whole).then(number).cast(pl.Int64, strict=False)
    if dtype.is_float():
        return rounded
    # a long fraction is lost in a float: 1.00000000000000001 is no whole number
    text = value.cast(pl.String)
    exact = text.cast(pl.Int64, strict=False)
    return pl.coalesce(exact, pl.when(~text.str.contains(r"^[+-]?\d*\.\d*[1-9]\d*$")).then(rounded))


def finite_number(column: str) -> pl.Expr:
    """Return a column as float64, null where it is not a finite number."""
    number = pl.col(column).cast(pl.Float64, strict=False)
    return pl.when(number.is_finite()).then(number)


def part_number(column: str) -> pl.Expr:
    """Return 0, 1 or 2 for what a column of a given split says, null for anything else."""
    said = pl.col(column).cast(pl.String).str.strip_chars().str.to_lowercase()
    return said.replace_strict(PARTS, default=None, return_dtype=pl.Int8)


def reasons(raw: pl.DataFrame, *, rated: bool, time: pl.Expr | None = None) -> pl.Expr:
    """Return the first reason to reject each row as read, or null; `rated` checks ratings too.

    `time` reads the column of times; it is null where a time is bad.
    """
    dtype = raw.schema["time"]
    time = whole_number("time", dtype) if time is None else time
    checks = [*id_checks("user"), *id_checks("item"), ("null_time", _blank("time", raw))]
    if exact_below(dtype) < _MAX_EXACT:
        checks.append(("rounded_time", finite_number("time").abs() >= exact_below(dtype)))
    checks.append(("bad_time", time.is_null()))
    if "split" in raw.columns:
        checks.append(("bad_split", part_number("split").is_null()))
    if rated:
        checks += [
            ("null_rating", _blank("rating", raw)),
            ("bad_rating", finite_number("rating").is_null()),
        ]
    return pl.coalesce([pl.when(bad).then(pl.lit(name)) for name, bad in checks])


def _blank(column: str, raw: pl.DataFrame) -> pl.Expr:
    empty = (
        pl.col(column).str.strip_chars() == "" if raw.schema[column] == pl.String else pl.lit(False)
    )
    return pl.col(column).is_null() | empty


def bad_rows(log: pl.DataFrame) -> pl.Series:
    """Return a mask of the rows with an invalid id or number."""
    bad = [pl.col(name).is_null() for name in log.columns]
    for role in ("user", "item"):  # the checks run once for each distinct id
        ids = log[role].unique()
        failed = pl.any_horizontal([check for _, check in id_checks(role)])
        wrong = ids.filter(pl.DataFrame({role: ids.cast(pl.String)}).select(failed).to_series())
        if len(wrong):
            bad.append(pl.col(role).to_physical().is_in(wrong.to_physical().implode()))
    return log.select(bad=pl.any_horizontal(bad).fill_null(False)).to_series()


def read_rejected(
    table: Table, needed: Sequence[pl.Expr], bad: pl.Series, *, rated: bool, time: pl.Expr
) -> pl.DataFrame:
    """Read the bad rows again, as they are in the file, with `row` (0-based) and `reason`.

    `needed` are the columns to read, and `time` reads their times as in `reasons`.
    """
    numbers = bad.arg_true()
    if numbers.is_empty():
        return pl.DataFrame(schema={"row": pl.UInt32, "reason": pl.String})
    found = table.collect(
        *needed,
        then=lambda frame: frame.with_row_index("row").filter(
            pl.col("row").is_in(numbers.implode())
        ),
    )
    found = found.select(pl.exclude("row"), "row", reason=reasons(found, rated=rated, time=time))
    if len(found) < len(numbers) or found["reason"].null_count():
        raise DataError(
            f"{table.name}: holds other rows when it is read again; see that nothing changes it "
            "meanwhile"
        )
    return found


def judge(rejected: pl.DataFrame, rows: int, table: Table, max_fraction: float | None) -> None:
    """Raise `DataError` that lists the rejected rows if there are too many of them.

    One is too many without `max_fraction`; with it, more than this fraction of all `rows` are.
    """
    if rejected.is_empty():
        return
    listing = "; ".join(
        _listing(group, table) for (_,), group in rejected.group_by("reason", maintain_order=True)
    )
    if max_fraction is None:
        raise DataError(
            f"{table.name}: {len(rejected):,} bad rows: {listing}; repair them or set them aside "
            "with --on-bad-row quarantine"
        )
    if len(rejected) > max_fraction * rows:
        share = (
            f"{len(rejected):,} of {rows:,} rows are bad, "
            f"more than --max-bad-fraction {max_fraction}"
        )
        raise DataError(f"{table.name}: {share}: {listing}; repair the file or raise the fraction")


def located(rejected: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Give rejected rows their lines for their numbers, and their file if it is one of several."""
    if rejected.is_empty():
        return rejected
    places = table.places(rejected["row"].to_list())
    lines = pl.Series("row", [place.line for place in places], dtype=rejected.schema["row"])
    located = rejected.with_columns(lines)
    files = [place.file for place in places]
    return located if set(files) <= {table.name} else located.with_columns(file=pl.Series(files))


def _listing(group: pl.DataFrame, table: Table) -> str:
    """Return ``null_user (2): file.csv:5, file.csv:9`` for the rows of a reason, with values."""
    reason = str(group["reason"][0])
    role = reason.partition("_")[2]
    rows, values = group.head(SHOWN).select("row", role)
    shown = [
        str(place) + (f" {str(value)[:40]!r}" if reason in _WHY else "")
        for place, value in zip(table.places(rows.to_list()), values, strict=True)
    ]
    more = ", ..." if len(group) > SHOWN else ""
    return f"{reason} ({len(group):,}{_WHY.get(reason, '')}): {', '.join(shown)}{more}"
