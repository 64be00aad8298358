"""The columns of a run's items that rules read: titles, categories, prices, what is in stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, final

import numpy as np
import polars as pl

from solidrec.arrays import Array
from solidrec.errors import UsageError, nearest
from solidrec.recommend.expressions import filter_of
from solidrec.runs import DELISTED

_CACHED = 256
"""Filters whose items are remembered; each takes a byte an item."""
_NOT_READ = ("training_count", "image", DELISTED)


@final
class Attributes:
    """One row of values for each of the V items of a run, in the order of its vocabulary.

    `shown` (V,) says which items may be recommended at all, None if all may; `hidden` is how many
    may not. An object of this
    class never changes; `changed` and `showing` return another one.
    """

    def __init__(self, frame: pl.DataFrame, shown: Array | None = None) -> None:
        self.frame, self.shown = frame, shown
        self.hidden = 0 if shown is None else len(shown) - int(np.count_nonzero(shown))
        self.fitting = lru_cache(_CACHED)(self._fitting)
        self.labels = lru_cache(_CACHED)(self._labels)

    @classmethod
    def of(cls, catalog: pl.DataFrame, kept: pl.DataFrame | None) -> Attributes:
        """Return the columns of a run's catalogue and the columns that were `kept` for rules.

        Items that are delisted are not shown.
        """
        own = catalog.drop(*_NOT_READ, strict=False)
        frame = own if kept is None else own.hstack(kept.drop(own.columns, strict=False))
        if DELISTED not in catalog.columns:
            return cls(frame)
        gone = catalog[DELISTED].fill_null(False).arg_true()
        return cls(frame).showing(gone, shown=False)

    def _fitting(self, text: str) -> Array:
        """Return which items fit a filter, (V,) booleans; raise `UsageError` as `filter_of`."""
        found = self.frame.select(filter_of(text, self.frame.schema).fill_null(False)).to_series()
        fits = np.broadcast_to(found.to_numpy(), len(self.frame))
        fits.flags.writeable = False
        return fits

    def _labels(self, column: str) -> Sequence[Sequence[Any]]:
        """Return the values of each item in a column, none where it has none."""
        if column not in self.frame.columns:
            raise UsageError(f"at_most: no column {column!r}{nearest(column, self.frame.columns)}")
        values = self.frame[column]
        if isinstance(values.dtype, pl.List):
            return [() if each is None else tuple(each) for each in values.to_list()]
        return [() if each is None else (each,) for each in values.to_list()]

    def changed(self, rows: Mapping[int, Mapping[str, Any]]) -> Attributes:
        """Return attributes with other values for some items, given by their row and column.

        Raises `UsageError` for a column that is not known, or a value of another type.
        """
        frame = self.frame
        names = sorted({name for values in rows.values() for name in values})
        for name in names:
            if name not in frame.columns or name == "item":
                raise UsageError(f"no column {name!r}{nearest(name, frame.columns)}")
            given = [(row, values[name]) for row, values in rows.items() if name in values]
            dtype = frame.schema[name]
            try:
                new = pl.Series([value for _, value in given], dtype=dtype, strict=True)
            except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
                raise UsageError(f"column {name!r} holds values of type {dtype}") from None
            source = np.arange(len(frame))  # where each item's value is: before, or among the new
            source[[row for row, _ in given]] = len(frame) + np.arange(len(given))
            frame = frame.with_columns(frame[name].clone().append(new).gather(source).alias(name))
        return Attributes(frame, self.shown)

    def showing(self, rows: Iterable[int], *, shown: bool) -> Attributes:
        """Return attributes by which the items of `rows` are never recommended, or are again."""
        found = np.ones(len(self.frame), dtype=bool) if self.shown is None else self.shown.copy()
        found[list(rows)] = shown
        return Attributes(self.frame, None if found.all() else found)
