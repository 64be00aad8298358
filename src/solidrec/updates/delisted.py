"""Items that are not recommended any more, though histories may still hold them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from solidrec.data.columns import ITEMS, find_columns, id_column
from solidrec.data.table import Table
from solidrec.errors import UsageError
from solidrec.runs import DELISTED, Run


def ids_of(table: Table, columns: Mapping[str, str | None]) -> list[str]:
    """Return the ids in the id column of a table, which `columns` may name (``items_id``)."""
    names = find_columns(table, ITEMS, columns, required=("items_id",))
    found = table.collect(id_column(table, names["items_id"], "item"))["item"]
    return [*found.drop_nulls().unique(maintain_order=True)]


def without(run: Run, delisted: Sequence[str]) -> Run:
    """Return the run with these items never recommended, and no others; they stay known.

    Raises `UsageError` if it knows none of them.
    """
    known, _ = run.items.known(delisted)
    if delisted and not known:
        raise UsageError(
            f"none of the {len(delisted):,} items to delist is known, for example {delisted[0]!r}; "
            "give ids as the log writes them"
        )
    gone = np.zeros(len(run.items), dtype=bool)
    gone[np.asarray(known, dtype=np.int64) - 1] = True
    return dataclasses.replace(run, catalog=run.catalog.with_columns(pl.Series(DELISTED, gone)))
