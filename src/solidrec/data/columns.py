"""Find the columns of a table by recognised or given names; one error lists all missing ones."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from solidrec.data.table import Table
from solidrec.errors import DataError, UsageError

INTERACTIONS: dict[str, tuple[str, ...]] = {
    "user": ("user", "user_id", "reviewerID"),
    "item": ("item", "item_id", "asin", "parent_asin"),
    "time": ("timestamp", "time", "unixReviewTime"),
    "position": ("position",),
    "rating": ("rating",),
    "split": (),  # by its given name only
}
ITEMS: dict[str, tuple[str, ...]] = {
    "items_id": INTERACTIONS["item"],
    "title": ("title", "name"),
    "category": ("categories", "categories_flat", "category", "attributes", "genres"),
    "brand": ("brand",),
    "text": ("text",),
    "description": ("description",),
    "image": ("image", "image_path", "picture"),
    "item_idx": ("item_idx",),
}
_NAMED = 10
"""The most columns that a note names."""
_LONG = 1000
_FIRST_WINS = ("title", "category", "image")


def find_columns(
    table: Table,
    known: Mapping[str, tuple[str, ...]],
    given: Mapping[str, str | None],
    required: tuple[str, ...],
) -> dict[str, str]:
    """Return the table's column for each role that it has, by the given or a recognised name.

    A RecBole header such as ``user_id:token`` counts as ``user_id``. Raises `DataError` that lists
    all missing columns at once with the nearest names, and `UsageError` when two columns could both
    be meant or a name occurs twice in the header.
    """
    found: dict[str, str] = {}
    missing: list[str] = []
    for role, names in known.items():
        wanted = given.get(role)
        column = _column(table, role, (wanted,) if wanted else names)
        if column is not None:
            found[role] = column
        elif wanted or role in required:
            missing.append(_missing(role, wanted, names, table.columns))
    if missing:
        columns = names_shown(table.columns) or "none"
        cure = "; is it separated by another --delimiter?" if len(table.columns) == 1 else ""
        raise DataError(f"{table.name}: {'; '.join(missing)} (columns found: {columns}){cure}")
    return found


def _column(table: Table, role: str, names: tuple[str, ...]) -> str | None:
    """Return the one column of these names, or None; raise `UsageError` for several."""
    named = [_named(table, name) for name in names]
    if role in _FIRST_WINS:  # of several names, but not of several columns of one name
        named = [columns for columns in named if columns][:1]
    matches = [column for columns in named for column in columns]
    if len(matches) > 1:
        raise UsageError(
            f"{table.name}: {' and '.join(matches)} could both be the {role}; say which with "
            f"{_option(role)}"
        )
    if matches and matches[0] in table.repeated:
        raise UsageError(
            f"{table.name}: {matches[0]!r}, the {role}, occurs more than once in the header; "
            "remove or rename all but one"
        )
    return matches[0] if matches else None


def names_shown(columns: list[str]) -> str:
    r"""Return column names for a message, in one line whatever a broken header holds.

    >>> names_shown(["user", "a\nb"])
    'user, a b'
    """
    shown = ", ".join(" ".join(name.split()) for name in columns)
    return shown if len(shown) <= _LONG else f"{shown[:_LONG]}..."


def _named(table: Table, name: str) -> list[str]:
    """Return the columns that a name stands for: itself, and the same with a type of RecBole."""
    columns = table.columns
    exact = [column for column in columns if column == name]
    return exact or [column for column in columns if column.partition(":")[0] == name]


def _option(role: str) -> str:
    """Return the option that names the column of a role.

    >>> _option("user")
    '--user-column NAME'
    """
    return f"--{role.replace('_', '-')}-column NAME"


def _missing(role: str, wanted: str | None, names: tuple[str, ...], columns: list[str]) -> str:
    looked = [wanted] if wanted else list(names)
    close = next(
        (hit for name in (*looked, role) for hit in difflib.get_close_matches(name, columns, n=1)),
        None,
    )
    hint = f", did you mean {close!r}?" if close else ""
    return f"no {role} column (looked for {', '.join(looked)}{hint}; name it with {_option(role)})"


def id_column(table: Table, column: str, role: str) -> pl.Expr:
    """Return an expression for a column's ids as exact strings.

    Raises `DataError` for types that would have to be changed to be ids: floats, booleans, lists,
    dates, and json columns that mix text with numbers.
    """
    check_kinds(f"{table.name}: {role} column {column!r}", table.kinds.get(column, {}))
    dtype = table.dtype(column)
    if dtype.is_integer() or isinstance(dtype, (pl.String, pl.Categorical, pl.Enum, pl.Null)):
        return pl.col(column).cast(pl.String).alias(role)
    cure = (
        "whole numbers may have been rounded; read the ids as strings"
        if dtype.is_float()
        else "convert it to strings"
    )
    raise DataError(
        f"{table.name}: {role} column {column!r} is of type {dtype}, ids are strings or integers; "
        f"{cure}"
    )


def check_kinds(what: str, kinds: Mapping[str, str]) -> None:
    """Raise `DataError` unless a json column holds ids of one kind, texts or whole numbers."""
    if len(kinds) > 1 or not kinds.keys() <= {"text", "integer"}:
        shown = ", ".join(f"{kind} ({place})" for kind, place in kinds.items())
        raise DataError(f"{what} holds {shown}; write ids as strings everywhere")


def entry_kinds(kinds: Mapping[str, str]) -> dict[str, str]:
    """Return the kinds of value in the lists of a json column, where nulls are of none.

    >>> entry_kinds({"list": "log:1", "list of text": "log:1", "list of null": "log:2"})
    {'text': 'log:1'}
    """
    found: dict[str, str] = {}
    for kind, place in kinds.items():
        if kind not in ("list", "list of null"):
            found.setdefault(kind.removeprefix("list of "), place)
    return found


def number_column(table: Table, column: str, role: str) -> pl.Expr:
    """Return a column of numbers; dates become integer microseconds since 1970.

    Columns of nanoseconds stay nanoseconds, which `times.readings` brings to one unit.
    """
    dtype = table.dtype(column)
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return pl.col(column).cast(pl.String).alias(role)
    if isinstance(dtype, (pl.Datetime, pl.Date)):
        fine = isinstance(dtype, pl.Datetime) and dtype.time_unit == "ns"
        return pl.col(column).dt.epoch("ns" if fine else "us").alias(role)
    if dtype.is_numeric() or isinstance(dtype, (pl.String, pl.Null)):
        return pl.col(column).alias(role)
    if isinstance(dtype, pl.Object):
        raise DataError(
            f"{table.name}: {role} column {column!r} is of type Object, since it mixes kinds of "
            "value, such as times with and without a zone; make them numbers, or times of one kind"
        )
    what = f"{role} column {column!r} is of type {dtype}, a number is needed"
    raise DataError(f"{table.name}: {what}; convert it or name another with {_option(role)}")


def unread_note(table: Table, read: Collection[str]) -> tuple[str, ...]:
    """Return a note that names the columns which nothing reads, if there are any."""
    unread = [name for name in table.columns if name not in read]
    if not unread:
        return ()
    return (f"{Path(table.name).name}: nothing reads the columns {listed_columns(unread)}",)


def listed_columns(names: list[str]) -> str:
    """Return the first names of columns, and how many more there are.

    >>> listed_columns(["price", "stock"])
    'price, stock'
    """
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return names_shown(names[:_NAMED]) + more
