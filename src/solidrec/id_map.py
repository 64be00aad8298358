"""The mapping between external ids (strings) and integers 1..N; 0 is always padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import final

import polars as pl


@final
class IdMap:
    """A frozen two-way map between external ids and 1..N.

    The ids are held as one `series` of strings, a few bytes per id. Python objects are made only
    when `ids` or the `index` of a name is requested.

    >>> ids = IdMap(["b", "a"])
    >>> len(ids), ids.index("a"), ids.index("new"), ids.id(1)
    (2, 2, 0, 'b')
    """

    def __init__(self, ids: Sequence[str] | pl.Series) -> None:
        self.series = (
            ids if isinstance(ids, pl.Series) else pl.Series(list(ids), dtype=pl.String)
        ).alias("id")

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The external ids of 1..N in order."""
        return tuple(self.series.to_list())

    @cached_property
    def _index(self) -> dict[str, int]:
        return dict(zip(self.series.to_list(), range(1, len(self) + 1), strict=True))

    def __len__(self) -> int:
        return len(self.series)

    def index(self, name: str) -> int:
        """Return the integer of an external id, or 0 if it is unknown."""
        return self._index.get(name, 0)

    def id(self, index: int) -> str:
        """Return the external id of an integer, or raise `IndexError` if it is outside 1..N."""
        if not 1 <= index <= len(self):
            raise IndexError(f"index {index} is outside 1..{len(self)}")
        return str(self.series[index - 1])

    def known(self, names: Iterable[str]) -> tuple[list[int], list[str]]:
        """Split names into the integers of known ones and a list of unknown ones, both in order."""
        names = list(names)
        found = list(map(self._index.get, names))
        known = [index for index in found if index is not None]
        return known, [
            name for name, index in zip(names, found, strict=True) if index is None
        ] if len(known) < len(found) else []
