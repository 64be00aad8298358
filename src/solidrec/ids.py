"""External ids (strings) and the integers 1..N that stand for them; 0 is padding, everywhere, once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import final


@final
class IdMap:
    """A frozen two-way map between external ids and 1..N.

    >>> ids = IdMap(["b", "a"])
    >>> len(ids), ids.index("a"), ids.index("new"), ids.id(1)
    (2, 2, 0, 'b')
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids: tuple[str, ...] = tuple(ids)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.ids, start=1)}

    def __len__(self) -> int:
        return len(self.ids)

    def index(self, name: str) -> int:
        """Return the integer of an external id, 0 if it is unknown."""
        return self._index.get(name, 0)

    def id(self, index: int) -> str:
        """Return the external id of an integer in 1..N; raises `IndexError` for 0 and anything outside."""
        if not 1 <= index <= len(self.ids):
            raise IndexError(f"index {index} is outside 1..{len(self.ids)}")
        return self.ids[index - 1]

    def known(self, names: Iterable[str]) -> tuple[list[int], list[str]]:
        """Split names into the integers of the known ones and the list of the unknown, both in order."""
        names = list(names)
        return [i for n in names if (i := self.index(n))], [n for n in names if not self.index(n)]
