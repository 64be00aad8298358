"""What users did recently, for clients that want the service to remember it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import final

from pydantic import Field

from solidrec.spec_base import Spec


@final
class MemoryLimits(Spec):
    """How much is remembered, and for how long."""

    users: int = Field(100_000, ge=1, description="at most, in the process; who came last stays")
    events: int = Field(100, ge=1, le=1000, description="of a user at most, the latest")
    seconds: float = Field(86_400, gt=0, description="after a user's last event all is forgotten")


class MemoryDown(Exception):
    """The memory did not answer in time."""


class Memory(ABC):
    """The recent events of users."""

    @abstractmethod
    async def events(self, user: str) -> list[str]:
        """Return the items of a user's events, oldest first; raise `MemoryDown`."""

    @abstractmethod
    async def add(self, user: str, items: Sequence[str]) -> None:
        """Remember new events of a user; raise `MemoryDown`."""

    @abstractmethod
    async def forget(self, user: str) -> None:
        """Forget a user; raise `MemoryDown`."""

    @abstractmethod
    async def close(self) -> None:
        """Give back what the memory holds open."""


@final
class LocalMemory(Memory):
    """A memory in the process: bounded, and gone when the process ends."""

    def __init__(
        self, limits: MemoryLimits | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits, self.clock = limits or MemoryLimits(), clock
        self.kept: OrderedDict[str, tuple[float, list[str]]] = OrderedDict()
        """When each user's last event came, and the events; who came last is at the end."""

    async def events(self, user: str) -> list[str]:
        """Return the items of a user's events, oldest first."""
        since, items = self.kept.get(user, (0.0, []))
        if items and self.clock() - since > self.limits.seconds:
            del self.kept[user]
            return []
        return list(items)

    async def add(self, user: str, items: Sequence[str]) -> None:
        """Remember new events of a user, and forget whoever came longest ago if there are many."""
        known = await self.events(user)
        self.kept[user] = (self.clock(), [*known, *items][-self.limits.events :])
        self.kept.move_to_end(user)
        while len(self.kept) > self.limits.users:
            self.kept.popitem(last=False)
        # The first ones came longest ago: those whose time is over go.
        while self.kept and self.clock() - next(iter(self.kept.values()))[0] > self.limits.seconds:
            self.kept.popitem(last=False)

    async def forget(self, user: str) -> None:
        """Forget a user."""
        self.kept.pop(user, None)

    async def close(self) -> None:
        """Give nothing back."""
